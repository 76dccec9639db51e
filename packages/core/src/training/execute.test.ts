import { mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { LabelledImages } from '../datasets/index.js';
import { packDataset } from '../datasets/pack.js';
import { packedPath } from '../datasets/packed-file.js';
import { joined } from '../datasets/test-support.js';
import { MaskLengthError, NesgdError, UnwantedJobError } from '../errors.js';
import { computedOn } from '../machine/index.js';
import {
  type AlphaJob,
  type EvaluateJob,
  type Job,
  type MeasureJob,
  PROTOCOL_VERSION,
  type Progress,
  type RecombineJob,
  type Runtime,
  type TrainJob,
} from '../protocol/index.js';
import { type CacheFolder, cacheFolder, keyOnProcessor, SnapshotStore, trainingKey } from '../storage/index.js';
import { initialWeights } from './alpha.js';
import { readCheckpoint } from './checkpoint.js';
import { availableEngines } from './engine/index.js';
import { Executor } from './execute.js';
import { modelSpec, sizeOf } from './models/index.js';
import { SETTINGS, spotsDataset } from './test-support.js';
import { formatTrainingState } from './training-state.js';

const engines = await availableEngines();
const spec = modelSpec('resnet8', [8, 8, 1], 3);
let root: string;
let cache: CacheFolder;
let dataset: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'nesgd-execute-'));
  cache = cacheFolder(root);
  const { train, test, ...rest } = spotsDataset(90, 30);
  const pieces = (part: LabelledImages) => [joined(part, 8 * 8)];
  const raw = { ...rest, train: { ...train, pieces: pieces(train) }, test: { ...test, pieces: pieces(test) } };
  dataset = (await packDataset('spots', raw, cache.datasets)).hash;
});
afterAll(() => rm(root, { recursive: true, force: true }));

describe.each(engines.map((engine) => [engine.name, engine] as const))('executor on %s', (name, engine) => {
  const common = () =>
    ({
      version: PROTOCOL_VERSION,
      runId: 'test',
      seed: 3,
      runtime: { engine: name, threads: 1 },
      data: {
        dataset,
        trainImages: null,
        testImages: null,
        validationFraction: 0.2,
        augmentation: { padCrop: 1, horizontalFlip: true },
      },
      model: { name: 'resnet8', granularity: 'block' },
      measureOn: 'validation',
    }) as const;
  const alphaJob = (): AlphaJob => ({
    ...common(),
    kind: 'alpha',
    training: { ...SETTINGS, epochs: 2, learningRate: 0.1 },
  });
  const evaluateJob = (alpha: string, change: Partial<EvaluateJob> = {}): EvaluateJob => ({
    ...common(),
    kind: 'evaluate',
    alpha,
    mask: '10101',
    repeat: 0,
    training: { ...SETTINGS, learningRateRetained: 0.01, learningRateReinitialised: 0.1 },
    keepWeightsAbove: null,
    ...change,
  });
  const measureJob = (weights: string, measureOn: Job['measureOn']): MeasureJob => ({
    ...common(),
    kind: 'measure',
    weights,
    measureOn,
  });
  const trainJob = (change: Partial<TrainJob> = {}): TrainJob => ({
    ...common(),
    kind: 'train',
    weights: null,
    training: { ...SETTINGS, learningRate: 0.1 },
    stream: 'a',
    keepWeightsAbove: null,
    ...change,
  });
  const recombineJob = (parents: string[], noise: number): RecombineJob => ({
    ...common(),
    kind: 'recombine',
    parents,
    noise,
    stream: 'child',
  });
  const executor = () => new Executor(engine, { engine: name, threads: 1 }, cache);

  it('alpha: trains, stores a checkpoint that can be read, and tells each epoch', async () => {
    const e = executor();
    const epochs: Progress[] = [];
    const result = await e.execute(alphaJob(), { onProgress: (progress) => epochs.push(progress) });
    expect(result.curve.map((record) => record.epoch)).toEqual([1, 2]);
    expect(result.accuracy).toBe(result.curve[1]!.accuracy);
    expect(result.imagesTrained).toBe(2 * 72);
    expect(epochs.map(({ epoch, epochs: of, accuracy }) => ({ epoch, of, accuracy }))).toEqual(
      result.curve.map(({ epoch, accuracy }) => ({ epoch, of: 2, accuracy })),
    );
    expect(readCheckpoint(await cache.blobs.get(result.weights!), spec, 'test').size).toBe(spec.parameters.length);
    e.dispose();
  });

  it('evaluate: the same job gives the same facts and weights, after any other job, on any executor', async () => {
    const e = executor();
    const { weights: alpha } = await e.execute(alphaJob());
    const job = evaluateJob(alpha!);
    const first = await e.execute(job);
    expect(first.weights).not.toBeNull();
    await e.execute(evaluateJob(alpha!, { mask: '01011' }));
    await e.execute({ ...alphaJob(), seed: 4 });
    expect(await e.execute(job)).toEqual(first);
    const another = executor();
    expect(await another.execute(job)).toEqual(first);
    for (const change of [{ repeat: 1 }, { seed: 9 }, { mask: '10100' }]) {
      expect((await e.execute(evaluateJob(alpha!, change))).weights, JSON.stringify(change)).not.toBe(first.weights);
    }
    e.dispose();
    another.dispose();
  });

  it('train: the same job gives the same bits; another stream, start or hyperparameter does not', async () => {
    const e = executor();
    const first = await e.execute(trainJob());
    expect(first.imagesTrained).toBe(72);
    await e.execute(trainJob({ weights: first.weights }));
    expect(await e.execute(trainJob())).toEqual(first);
    const changes: Partial<TrainJob>[] = [
      { stream: 'b' },
      { weights: first.weights },
      { seed: 9 },
      { training: { ...SETTINGS, learningRate: 0.1, weightDecay: 0.1 } },
      { training: { ...SETTINGS, learningRate: 0.05 } },
    ];
    for (const change of changes) {
      expect((await e.execute(trainJob(change))).weights, JSON.stringify(change)).not.toBe(first.weights);
    }
    expect((await e.execute(trainJob({ keepWeightsAbove: first.accuracy }))).weights).toBeNull();
    e.dispose();
  });

  it('train: initialStream gives another training its initial weights, and nothing else', async () => {
    const e = executor();
    /** A learning rate that is zero in float32: what is left is what it started from. Sums, as they are short to print. */
    const still = { ...SETTINGS, learningRate: 1e-60, weightDecay: 0 };
    const start = async (change: Partial<TrainJob>) => {
      const { weights } = await e.execute(trainJob({ training: still, ...change }));
      const trained = readCheckpoint(await cache.blobs.get(weights!), spec, 'test');
      const trainable = spec.parameters.filter((p) => p.trainable);
      return trainable.map(({ name }) => trained.get(name)!.reduce((sum, value, i) => sum + value * Math.sin(i), 0));
    };
    const own = await start({ stream: 'a' });
    expect(await start({ stream: 'b', initialStream: 'a' })).toEqual(own);
    expect(await start({ stream: 'b' })).not.toEqual(own);
    // In another order, so to other weights in the end; the first of all is what it would be alone.
    const first = await e.execute(trainJob({ stream: 'a' }));
    expect((await e.execute(trainJob({ stream: 'b', initialStream: 'a' }))).weights).not.toBe(first.weights);
    expect(await e.execute(trainJob({ stream: 'a', initialStream: 'a' }))).toEqual(first);
    e.dispose();
  });

  it('recombine: without noise the mean of its parents, trained on nothing; with noise the statistics of batch norm stay the mean', async () => {
    const e = executor();
    const [a, b] = [await e.execute(trainJob()), await e.execute(trainJob({ stream: 'b' }))];
    const read = async (sha256: string | null) => readCheckpoint(await cache.blobs.get(sha256!), spec, 'test');
    const [wa, wb] = [await read(a.weights), await read(b.weights)];
    const mean = new Map(
      [...wa].map(([name, values]) => [name, values.map((v, i) => Math.fround((v + wb.get(name)![i]!) / 2))]),
    );

    const child = await e.execute(recombineJob([a.weights!, b.weights!], 0));
    expect(await read(child.weights)).toEqual(mean);
    expect(child).toMatchObject({ imagesTrained: 0, curve: [] });
    const copy = await e.execute(recombineJob([a.weights!], 0));
    expect(copy.accuracy).toBe(a.accuracy);
    expect(copy.weights).toBe(a.weights);

    const mutant = await read((await e.execute(recombineJob([a.weights!, b.weights!], 0.1))).weights);
    const distances = spec.parameters
      .filter(({ trainable }) => trainable)
      .flatMap(({ name }) => [...mutant.get(name)!].map((v, i) => v - mean.get(name)![i]!));
    const std = Math.sqrt(distances.reduce((sum, d) => sum + d * d, 0) / distances.length);
    expect(Math.abs(std - 0.1)).toBeLessThan((5 * 0.1) / Math.sqrt(2 * distances.length));
    for (const { name, trainable } of spec.parameters) if (!trainable) expect(mutant.get(name)).toEqual(mean.get(name));
    e.dispose();
  });

  describe('parts of a training', () => {
    const E = 4;
    const training = { ...SETTINGS, epochs: E, learningRateRetained: 0.01, learningRateReinitialised: 0.1 };
    const part = (alpha: string, from: number, until: number, change: Partial<EvaluateJob> = {}) =>
      evaluateJob(alpha, { training, part: { from, until }, ...change });
    /** An executor that would keep nothing by itself. */
    const sparing = () => new Executor(engine, { engine: name, threads: 1 }, cache, 0);

    it.each([['last', undefined] as const, ['best', undefined] as const, ['last', 2] as const])(
      'weights %s, averageLast %s: from part to part it comes to the bits of an undisturbed training, each charged its own',
      async (weights, averageLast) => {
        const change = { training: { ...training, weights, ...(averageLast && { averageLast }) } };
        const e = sparing();
        const alpha = (await e.execute(alphaJob())).weights!;
        const undisturbed = await e.execute(evaluateJob(alpha, change));
        const parts = [];
        for (const [from, until] of [
          [0, 1],
          [1, 3],
          [3, E],
        ] as const) {
          const epochs: number[] = [];
          const onProgress = ({ epoch }: Progress) => epochs.push(epoch);
          parts.push(await e.execute(part(alpha, from, until, change), { onProgress }));
          expect(epochs).toEqual(Array.from({ length: until - from }, (_, i) => from + 1 + i));
        }
        expect(parts.map(({ imagesTrained }) => imagesTrained)).toEqual([72, 144, averageLast ? 144 : 72]);
        expect(parts.flatMap(({ curve }) => curve)).toEqual(undisturbed.curve);
        expect(parts.at(-1)).toMatchObject({ accuracy: undisturbed.accuracy, weights: undisturbed.weights });
        expect(parts[0]!.weights).not.toBe(undisturbed.weights);
        await new SnapshotStore(cache).clearAll(trainingKey(part(alpha, 0, 1, change)));
        e.dispose();
      },
    );

    it('a part whose state is lost, or further than it ends, begins anew, to the same facts', async () => {
      const e = sparing();
      const alpha = (await e.execute(alphaJob())).weights!;
      const first = await e.execute(part(alpha, 0, 2));
      const second = await e.execute(part(alpha, 2, 3));
      expect(await e.execute(part(alpha, 0, 2))).toEqual(first); // What is kept is of three epochs.
      expect(await e.execute(part(alpha, 2, 3))).toEqual(second); // It was there already.
      await new SnapshotStore(cache).clearAll(trainingKey(part(alpha, 2, 3)));
      expect(await e.execute(part(alpha, 2, 3))).toEqual(second);
      await new SnapshotStore(cache).clearAll(trainingKey(part(alpha, 2, 3)));
      e.dispose();
    });
  });

  describe('snapshots', () => {
    const training = { ...SETTINGS, epochs: 4, learningRate: 0.1 };
    const job = (): TrainJob => trainJob({ training, stream: 'long' });
    const snapshotting = () => new Executor(engine, { engine: name, threads: 1 }, cache, 1);
    const store = () => new SnapshotStore(cache);

    /** Ends the job as a dead process would: in its second epoch, without another word. */
    async function breakOff(): Promise<void> {
      const e = snapshotting();
      const controller = new AbortController();
      const onProgress = ({ epoch }: Progress) => epoch === 2 && controller.abort(new UnwantedJobError('GONE', 'gone'));
      await expect(e.execute(job(), { onProgress, signal: controller.signal })).rejects.toThrow('gone');
      e.dispose();
    }
    async function goOn() {
      const e = snapshotting();
      const epochs: number[] = [];
      const notices: string[] = [];
      const result = await e.execute(job(), {
        onProgress: ({ epoch }) => epochs.push(epoch),
        onNotice: (text) => notices.push(text),
      });
      e.dispose();
      return { result, epochs, notices };
    }
    const undisturbed = async () => {
      const e = executor();
      const result = await e.execute(job());
      e.dispose();
      return result;
    };
    const snapshotName = () => keyOnProcessor(trainingKey(job()), computedOn(job().runtime));
    afterEach(() => store().clearAll(trainingKey(job())));

    it('a job that was broken off goes on after the last epoch that was kept, to the same facts', async () => {
      await breakOff();
      const { result, epochs, notices } = await goOn();
      expect(epochs).toEqual([3, 4]);
      expect(notices).toEqual(['goes on from its snapshot: 2 epochs and 0 images are done']);
      expect(result).toEqual(await undisturbed());
    });

    it.each([
      ['damaged', async (sha256: string) => truncate(cache.blobs.path(sha256), 1_000), /has changed/],
      ['gone', async (sha256: string) => cache.blobs.delete(sha256), /there is no file/],
      [
        "another job's",
        async () => {
          const foreign = await cache.blobs.put(
            formatTrainingState(spec, trainingKey(alphaJob()), {
              ...{
                steps: 9,
                lossSum: 0,
                images: 0,
                imagesTrained: 216,
                curve: [],
                best: undefined,
                average: undefined,
              },
              weights: initialWeights(spec, [1, 'foreign']),
              velocities: new Map(spec.parameters.map(({ name: n, shape }) => [n, new Float32Array(sizeOf(shape))])),
            }),
          );
          await store().point(snapshotName(), { steps: 1_000, sha256: foreign });
        },
        /it is the state of another training/,
      ],
    ])('one that is %s is discarded with a word, never used', async (_, spoil, reason) => {
      await breakOff();
      await spoil((await store().find(snapshotName()))!.sha256);
      const { result, epochs, notices } = await goOn();
      expect(notices).toEqual([expect.stringMatching(/^its snapshot is discarded, the training begins anew: /)]);
      expect(notices[0]).toMatch(reason);
      expect(epochs).toEqual([1, 2, 3, 4]);
      expect(result).toEqual(await undisturbed());
    });

    it('one that cannot be written is done without, and said', async () => {
      await rm(cache.snapshots, { recursive: true, force: true });
      await writeFile(cache.snapshots, 'no folder');
      const { result, notices } = await goOn();
      await rm(cache.snapshots);
      expect(notices).toHaveLength(3);
      expect(notices[0]).toMatch(/^no snapshot of the training could be kept: /);
      expect(result).toEqual(await undisturbed());
    });
  });

  it('evaluate: stores weights only where they beat what the job says', async () => {
    const e = executor();
    const { weights: alpha } = await e.execute(alphaJob());
    const { accuracy, weights } = await e.execute(evaluateJob(alpha!));
    expect((await e.execute(evaluateJob(alpha!, { keepWeightsAbove: accuracy }))).weights).toBeNull();
    expect((await e.execute(evaluateJob(alpha!, { keepWeightsAbove: accuracy - 0.01 }))).weights).toBe(weights);
    e.dispose();
  });

  it('evaluate: an individual that diverges scores 0 and stores nothing', async () => {
    const e = executor();
    const { weights: alpha } = await e.execute(alphaJob());
    const training = { ...evaluateJob(alpha!).training, learningRateRetained: 1e20, learningRateReinitialised: 1e21 };
    const result = await e.execute(evaluateJob(alpha!, { training: { ...training, epochs: 9 } }));
    expect(result).toMatchObject({ accuracy: 0, weights: null });
    expect(result.curve.at(-1)).toMatchObject({ trainLoss: null, accuracy: null });
    e.dispose();
  });

  it('measure: gives on the same split what the training said, and on the test set something of its own', async () => {
    const e = executor();
    const alpha = await e.execute(alphaJob());
    const onValidation = await e.execute(measureJob(alpha.weights!, 'validation'));
    expect(onValidation).toEqual({ accuracy: alpha.accuracy, curve: [], weights: null, imagesTrained: 0 });
    const onTest = await e.execute(measureJob(alpha.weights!, 'test'));
    expect(Number.isInteger(Math.round(onTest.accuracy * 30 * 1e9) / 1e9)).toBe(true); // 30 test images
    e.dispose();
  });

  it('refuses what cannot be done, and stays usable', async () => {
    const e = executor();
    const { weights: alpha } = await e.execute(alphaJob());
    const missing = 'f'.repeat(64);
    await expect(e.execute(evaluateJob(alpha!, { mask: '1010' }))).rejects.toThrow(MaskLengthError);
    await expect(e.execute(evaluateJob(missing))).rejects.toMatchObject({ code: 'BLOB_MISSING' });
    await expect(
      e.execute({ ...evaluateJob(alpha!), data: { ...common().data, dataset: missing } }),
    ).rejects.toMatchObject({
      code: 'DATASET_MISSING',
    });
    await expect(
      e.execute({ ...evaluateJob(alpha!), model: { name: 'resnet14', granularity: 'block' } }),
    ).rejects.toMatchObject({
      code: 'CHECKPOINT',
    });
    const wrong: Omit<Runtime, 'engine'>[] = [
      { threads: 2 },
      { threads: 1, device: 'gpu' },
      { threads: 1, precision: 'bfloat16' },
    ];
    for (const runtime of wrong) {
      await expect(e.execute({ ...evaluateJob(alpha!), runtime: { engine: name, ...runtime } })).rejects.toMatchObject({
        code: 'WRONG_RUNTIME',
        retryable: true,
      });
    }
    await writeFile(cache.blobs.path(missing), 'not these weights');
    await expect(e.execute(evaluateJob(missing))).rejects.toMatchObject({ code: 'BLOB_CORRUPT' });
    await rm(cache.blobs.path(missing));
    expect((await e.execute(evaluateJob(alpha!))).accuracy).toBeGreaterThanOrEqual(0);
    e.dispose();
  });

  it('lets go of a data set that changed under it, and takes the one that stands in its place', async () => {
    const e = executor();
    const path = packedPath(cache.datasets, dataset);
    const before = await e.execute(alphaJob());
    const content = await readFile(path);
    await truncate(path, content.length - 1);
    const damaged = { code: 'DATASET_CORRUPT', retryable: true };
    await expect(e.execute(alphaJob())).rejects.toMatchObject(damaged);
    await expect(e.execute(alphaJob())).rejects.toMatchObject(damaged);
    await rm(path);
    await writeFile(path, content);
    expect(await e.execute(alphaJob())).toEqual(before);
    e.dispose();
  });

  it('leaves nothing on the engine, whatever came of its jobs', async () => {
    const before = engine.memory().tensors;
    const e = executor();
    const { weights: alpha } = await e.execute(alphaJob());
    await e.execute(evaluateJob(alpha!));
    const controller = new AbortController();
    const stopped = e.execute(evaluateJob(alpha!, { training: { ...evaluateJob(alpha!).training, epochs: 3 } }), {
      signal: controller.signal,
      onProgress: () => controller.abort(new NesgdError('ABORTED', 'stopped')),
    });
    await expect(stopped).rejects.toMatchObject({ code: 'ABORTED' });
    e.dispose();
    expect(engine.memory().tensors).toBe(before);
  });
});
