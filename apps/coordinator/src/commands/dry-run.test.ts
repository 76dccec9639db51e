import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Runtime } from '@nesgd/core/protocol';
import { createRun, type Fact, JOURNAL_VERSION, loadExperiment } from '@nesgd/core/run';
import { detectEngines } from '@nesgd/core/runtime';
import { defaultCacheRoot } from '@nesgd/core/storage';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readConfig } from '../config.js';
import { dryRun, dryRunLines } from './dry-run.js';

const EXPERIMENT = `
name: example
seed: 1
dataset: { name: cifar10, trainImages: 1000, validationFraction: 0.1 }
model: { name: resnet8 }
alpha: { epochs: 4, learningRate: 0.1 }
retrain: { epochs: 2, learningRateRetained: 0.01, learningRateReinitialised: 0.1 }
evolution: { populationSize: 2, generations: 1 }
`;

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nesgd-dry-run-'));
  file = join(folder, 'example.yaml');
  await writeFile(file, EXPERIMENT);
});
afterEach(() => rm(folder, { recursive: true }));

function dry(options: { device?: 'cpu' | 'gpu'; workersPerDevice?: number; set?: string[]; engine?: string } = {}) {
  return dryRun(
    file,
    {
      set: [],
      engine: 'tensorflow',
      workers: options.device === 'gpu' ? 0 : 2,
      runs: join(folder, 'runs'),
      ...options,
    },
    { config: readConfig(process.env), watch: () => {}, signal: new AbortController().signal, stop: () => {} },
  );
}

/** An earlier run whose alpha gave so many images a second. Later ones are looked at first. */
async function earlierRun(runId: string, runtime: Runtime, imagesPerSecond: number): Promise<void> {
  const run = await createRun(join(folder, 'runs'), {
    type: 'opened',
    version: JOURNAL_VERSION,
    runId,
    experiment: await loadExperiment(file, { set: [] }),
    runtime,
    data: {
      dataset: 'a'.repeat(64),
      trainImages: 1000,
      testImages: null,
      validationFraction: 0.1,
      augmentation: { padCrop: 0, horizontalFlip: false },
    },
    imageShape: [32, 32, 3],
    classNames: ['0', '1'],
    blocks: [{ name: 'stem', parameters: 1 }],
  });
  const weights = 'b'.repeat(64);
  const alpha: Fact = { type: 'alpha', accuracy: 0.5, curve: [], weights, imagesTrained: 2 * imagesPerSecond };
  await run.journal.append(alpha, { provenance: { worker: 'w', engine: 'e', seconds: 2 } });
  await run.close();
}

const onProcessor = { engine: 'tensorflow', threads: 1 } as const;
const onCard = { ...onProcessor, device: 'gpu' } as const;

describe.runIf(detectEngines(defaultCacheRoot(process.env)).tensorflow.usable)('dry run', () => {
  it('on a card that no earlier run tells of, the time is not known, and nothing is made up', async () => {
    await earlierRun('r1', onProcessor, 100);
    const result = await dry({ device: 'gpu' });
    expect(result).toMatchObject({ device: 'gpu', rate: null, estimatedSeconds: null, epochs: 12 });
    const text = dryRunLines(result).join('\n');
    expect(text).toContain('how long it takes with 1 worker, engine tensorflow on cards is not known');
    expect(text).not.toMatch(/about|images\/s|GFLOPS/);
  });

  it('goes by the latest run on the same device and in the same precision', async () => {
    await earlierRun('r1', onProcessor, 100);
    await earlierRun('r2', onCard, 2000);
    await earlierRun('r3', { ...onCard, precision: 'tf32' }, 3000);
    const rate = (imagesPerSecond: number, run: string) => ({ imagesPerSecond, from: `measured in run ${run}` });
    expect((await dry({ device: 'cpu' })).rate).toEqual(rate(100, 'r1'));
    expect((await dry({ device: 'gpu', set: ['runtime.precision=tf32'] })).rate).toEqual(rate(3000, 'r3'));
    const result = await dry({ device: 'gpu' });
    // One worker: twelve epochs of 900 images, one after the other.
    expect(result).toMatchObject({ rate: rate(2000, 'r2'), estimatedSeconds: 5 });
    expect(dryRunLines(result).join('\n')).toContain('about 5s with 1 worker, engine tensorflow on cards');
  });

  it('a card that more trainers share is another measurement', async () => {
    await earlierRun('r1', onCard, 2000);
    expect((await dry({ device: 'gpu', workersPerDevice: 3 })).rate).toBeNull();
  });
});

it('dry run: a processor of which no run tells has a stated rate, by its engine', async () => {
  await earlierRun('r1', onCard, 2000);
  const { rate, estimatedSeconds, device } = await dry({ engine: 'wasm' });
  expect(device).toBe('cpu');
  expect(rate?.from).toBe('stated: 25 GFLOPS a thread');
  expect(estimatedSeconds).toBeGreaterThan(0);
});
