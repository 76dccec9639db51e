import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { graphModelFiles } from '@nesgd/core/export';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectClose } from '../../packages/core/src/training/testing/expect-close.js';
import { NARROW_NETWORKS } from '../../packages/core/src/training/testing/narrow-networks.js';
import { type FileServer, openBrowser, serveFiles } from './support.js';

/**
 * The published TensorFlow.js bundle in a real browser loads what `nesgd export` writes, and has the logits that
 * PyTorch has from the same weights.
 */
const require = createRequire(import.meta.url);
let browser: Browser;
let page: Page;
let server: FileServer;

beforeAll(async () => {
  const bundle = require.resolve('@tensorflow/tfjs/dist/tf.min.js');
  const files = new Map<string, Uint8Array | string>([
    ['/index.html', '<!doctype html><title>exported models</title><script src="/tf.min.js"></script>'],
    ['/tf.min.js', await readFile(bundle)],
  ]);
  for (const [name, { fixture, spec }] of NARROW_NETWORKS) {
    const { channels } = fixture.config;
    // The fixtures' images are normalised already.
    const normalisation = { mean: Array(channels).fill(0), std: Array(channels).fill(1 / 255) };
    const weights = fixture.withPrefix('trained.');
    for (const [path, bytes] of graphModelFiles({ spec, weights, normalisation }, { name })) {
      files.set(`/${name}/${path}`, bytes);
    }
  }
  server = await serveFiles(files);
  browser = await openBrowser();
  page = await browser.newPage();
  await page.goto(`${server.url}/index.html`);
});
afterAll(async () => {
  await browser?.close();
  await server?.close();
});

/** What the page's script tag brings, as far as it is used here. */
interface TensorFlow {
  setBackend(name: string): Promise<boolean>;
  getBackend(): string;
  loadGraphModel(url: string): Promise<GraphModel>;
  tensor(values: number[], shape: number[]): TensorHandle;
}
interface GraphModel {
  readonly metadata: { readonly name: string };
  execute(images: TensorHandle, output: string): TensorHandle;
  predict(images: TensorHandle): TensorHandle;
}
interface TensorHandle {
  data(): Promise<Float32Array>;
  sum(axis: number): TensorHandle;
}

/** Runs in the page. */
async function logitsInPage(of: { backend: string; url: string; images: number[]; shape: number[] }) {
  const { tf } = globalThis as unknown as { tf: TensorFlow };
  await tf.setBackend(of.backend);
  const model = await tf.loadGraphModel(of.url);
  const images = tf.tensor(of.images, of.shape);
  const [logits, probabilities] = [model.execute(images, 'logits'), model.predict(images)];
  return {
    backend: tf.getBackend(),
    name: model.metadata.name,
    logits: [...(await logits.data())],
    sums: [...(await probabilities.sum(-1).data())],
  };
}

describe.each([
  ['cpu', 2e-5],
  ['webgl', 2e-5],
] as const)('in Chromium on the backend %s', (backend, tolerance) => {
  it.each(NARROW_NETWORKS)('%s has the logits of PyTorch’s', async (name, { fixture, spec }) => {
    const shape = [fixture.config.batchSize, ...spec.inputShape];
    const images = [
      ...fixture.tensor('images').values.subarray(
        0,
        shape.reduce((a, b) => a * b),
      ),
    ];
    const got = await page.evaluate(logitsInPage, { backend, url: `/${name}/model.json`, images, shape });
    expect(got).toMatchObject({ backend, name });
    expectClose('logits', Float32Array.from(got.logits), fixture.tensor('trainedEvalLogits').values, tolerance);
    expect(got.sums).toEqual(got.sums.map(() => expect.closeTo(1, 5)));
  });
});

it('asked for nothing that was not exported', () => {
  expect(server.missing.filter((path) => path !== '/favicon.ico')).toEqual([]);
});
