import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { readCheckpoint } from '@nesgd/core/checkpoint';
import { modelSpec } from '@nesgd/core/models';
import { availableEngines, Network } from '@nesgd/core/training';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ExportSummary } from '../../apps/coordinator/src/commands/export.js';
import { expectClose } from '../../packages/core/src/training/testing/expect-close.js';
import { readFixture } from '../../packages/core/src/training/testing/fixture.js';
import type { Narrow } from '../../packages/core/src/training/testing/narrow-networks.js';
import { Workplace, writeExperiment } from '../support/cli.js';
import { residualLogits, type StateDict, stateDict } from '../support/plain-resnet.js';
import { tinyExperiment } from '../support/tiny.js';
import { type FileServer, openBrowser, serveFiles } from './support.js';

/**
 * What a real run exports, from the command line to the logits: each engine's, those of the safetensors file read as
 * PyTorch reads it, and those of the TensorFlow.js model in Chromium are the same.
 */
const require = createRequire(import.meta.url);
const SHAPE = [28, 28, 1] as const;
const IMAGES = 3;
/** Of the largest logit. */
const TOLERANCE = 2e-5;

let place: Workplace;
let out: string;
let bytes: Uint8Array;
let safetensors: Uint8Array;

beforeAll(async () => {
  place = await Workplace.create();
  const tiny = tinyExperiment({ evolution: { populationSize: 2, generations: 1 } });
  const file = await writeExperiment(join(place.folder, 'tiny.yaml'), tiny);
  await place.start(['run', file, '--run-id', 'tiny', '--broker', 'local', '--json']).summary();
  out = join(place.folder, 'export');
  await place.start(['export', 'tiny', '--out', out, '--json']).summary<ExportSummary>();
  safetensors = await readFile(join(out, 'best.safetensors'));
  bytes = Uint8Array.from({ length: IMAGES * 28 * 28 }, (_, i) => (i * 7919 + (i >> 3)) % 256);
});
afterAll(() => place?.destroy());

/** By what the file says of itself. */
function normalised(metadata: Record<string, string>): Float64Array {
  const [mean, std] = [metadata.mean, metadata.std].map((text) => JSON.parse(text!) as number[]);
  return Float64Array.from(bytes, (byte) => (byte / 255 - mean![0]!) / std![0]!);
}

function wantedLogits(): Float32Array {
  const { tensors, metadata } = stateDict(safetensors);
  const pixels = normalised(metadata);
  const size = 28 * 28;
  return Float32Array.from(
    Array.from({ length: IMAGES }, (_, i) =>
      residualLogits(tensors, pixels.subarray(i * size, (i + 1) * size), SHAPE),
    ).flat(),
  );
}

it('the plain network has PyTorch’s logits: what is held against it is held against PyTorch', () => {
  const fixture = readFixture<Narrow>('narrow-resnet');
  const { batchSize, size, channels } = fixture.config;
  const state: StateDict = new Map(
    [...fixture.withPrefix('trained.')].map(([name, values]) => {
      const { shape } = fixture.tensor(`trained.${name}`);
      return [name, { shape, values }] as const;
    }),
  );
  const images = fixture.tensor('images').values;
  const perImage = size * size * channels;
  const logits = Array.from({ length: batchSize }, (_, i) =>
    residualLogits(state, images.subarray(i * perImage, (i + 1) * perImage), [size, size, channels]),
  ).flat();
  // The fixture's were computed in double precision, too.
  expectClose('logits', Float32Array.from(logits), fixture.tensor('trainedEvalLogits').values, 1e-6);
});

it.each((await availableEngines()).map((engine) => [engine.name, engine] as const))(
  'engine %s has the logits of the safetensors file',
  (_, engine) => {
    const spec = modelSpec('resnet8', SHAPE, 10);
    const network = new Network(engine, spec);
    network.load(readCheckpoint(safetensors, spec, 'best.safetensors'));
    const images = engine.tensor(Float32Array.from(normalised(stateDict(safetensors).metadata)), [IMAGES, ...SHAPE]);
    const logits = network.logits(images);
    expectClose('logits', Float32Array.from(engine.read(logits)), wantedLogits(), TOLERANCE);
    for (const tensor of [images, logits]) tensor.dispose();
    network.dispose();
  },
);

describe('in Chromium', () => {
  let browser: Browser;
  let page: Page;
  let server: FileServer;

  beforeAll(async () => {
    const files = new Map<string, Uint8Array | string>([
      ['/index.html', '<!doctype html><title>an exported run</title><script src="/tf.min.js"></script>'],
      ['/tf.min.js', await readFile(require.resolve('@tensorflow/tfjs/dist/tf.min.js'))],
    ]);
    const folder = join(out, 'best-tfjs');
    for (const name of await readdir(folder)) files.set(`/best-tfjs/${name}`, await readFile(join(folder, name)));
    server = await serveFiles(files);
    browser = await openBrowser();
    page = await browser.newPage();
    await page.goto(`${server.url}/index.html`);
  });
  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  it.each(['cpu', 'webgl'])('the exported model has the same logits from bytes on the backend %s', async (backend) => {
    const of = { backend, images: [...bytes], shape: [IMAGES, ...SHAPE] };
    const got = await page.evaluate(logitsInPage, of);
    expect(got).toMatchObject({ backend, run: 'tiny' });
    expectClose('logits', Float32Array.from(got.logits), wantedLogits(), TOLERANCE);
    expect(server.missing.filter((path) => path !== '/favicon.ico')).toEqual([]);
  });
});

/** What the page's script tag brings, as far as it is used here. */
interface TensorFlow {
  setBackend(name: string): Promise<boolean>;
  getBackend(): string;
  tensor(values: number[], shape: number[]): unknown;
  loadGraphModel(url: string): Promise<{
    readonly metadata: { readonly run: string };
    execute(images: unknown, output: string): { data(): Promise<Float32Array> };
  }>;
}

/** Runs in the page. */
async function logitsInPage(of: { backend: string; images: number[]; shape: number[] }) {
  const { tf } = globalThis as unknown as { tf: TensorFlow };
  await tf.setBackend(of.backend);
  const model = await tf.loadGraphModel('/best-tfjs/model.json');
  const logits = await model.execute(tf.tensor(of.images, of.shape), 'logits').data();
  return { backend: tf.getBackend(), run: model.metadata.run, logits: [...logits] };
}
