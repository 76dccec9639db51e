import { readdir } from 'node:fs/promises';
import { prepareDataset } from '@nesgd/core/datasets';
import { type AlphaJob, type EvaluateJob, PROTOCOL_VERSION, type Runtime } from '@nesgd/core/protocol';
import type { JobOutcome, OpenedFact } from '@nesgd/core/run';
import { detectEngines, findBrokerBinary, startBroker } from '@nesgd/core/runtime';
import { type CacheFolder, cacheFolder, defaultCacheRoot, SnapshotStore, trainingKey } from '@nesgd/core/storage';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clearingSnapshots } from '../../apps/coordinator/src/dispatch/clearing-snapshots.js';
import { LocalDispatcher } from '../../apps/coordinator/src/dispatch/local-dispatcher.js';
import { QueueDispatcher } from '../../apps/coordinator/src/dispatch/queue-dispatcher.js';
import { startArtifactService } from '../../apps/coordinator/src/http/artifact-service.js';
import { LocalWorkers } from '../../apps/coordinator/src/local-workers.js';
import { Workplace } from '../support/cli.js';

/** Long jobs whose trainer or worker ends under them, with real processes. */
let workplace: Workplace;
let cache: CacheFolder;
let alphaJob: AlphaJob;
const EPOCHS = 12;

beforeAll(async () => {
  workplace = await Workplace.create();
  cache = cacheFolder(workplace.env.NESGD_CACHE as string);
  // The workers that this process starts read these from its environment.
  Object.assign(process.env, { NESGD_LOCK_DURATION_MS: '1500', NESGD_STALLED_INTERVAL_MS: '500' });
  const augmentation = { padCrop: 2, horizontalFlip: true };
  const size = { trainImages: 400, testImages: 100, validationFraction: 0.2 };
  const data = await prepareDataset({ name: 'mnist', ...size, augmentation }, cache.datasets);
  alphaJob = {
    version: PROTOCOL_VERSION,
    runId: 'snapshots',
    kind: 'alpha',
    seed: 3,
    runtime: { engine: 'wasm', threads: 1 },
    data: data.split,
    model: { name: 'resnet8', granularity: 'block' },
    measureOn: 'validation',
    training: {
      epochs: EPOCHS,
      learningRate: 0.05,
      schedule: 'cosine',
      milestones: [],
      gamma: 0.1,
      batchSize: 32,
      momentum: 0.9,
      weightDecay: 5e-4,
      weights: 'best',
    },
  };
});
afterAll(() => workplace.destroy());

const { usable } = detectEngines(defaultCacheRoot(process.env)).tensorflow;
const engines: Runtime['engine'][] = usable ? ['tensorflow', 'wasm'] : ['wasm'];

/** What happens under a job that `disturb` is called for after its third epoch. */
interface Disturbed {
  readonly outcome: JobOutcome;
  /** The epochs told by each attempt. */
  readonly attempts: number[][];
}

async function follow(
  dispatch: (handlers: Parameters<LocalDispatcher['dispatch']>[1]) => Promise<JobOutcome>,
  disturb: () => void,
): Promise<Disturbed> {
  const attempts: number[][] = [];
  let disturbed = false;
  const outcome = await dispatch({
    onStart: () => attempts.push([]),
    onProgress: (_, { epoch }) => {
      attempts.at(-1)?.push(epoch);
      if (epoch < 3 || disturbed) return;
      disturbed = true;
      disturb();
    },
  });
  return { outcome, attempts };
}

describe.each(engines)('snapshots on %s', (engine) => {
  const job = (): AlphaJob => ({ ...alphaJob, runtime: { engine, threads: 1 } });
  let undisturbed: JobOutcome;
  beforeAll(async () => {
    const dispatcher = new LocalDispatcher({ workers: 1, cacheRoot: cache.root, snapshotEpochs: 0 });
    undisturbed = await dispatcher.dispatch(job());
    await dispatcher.close();
    await cache.blobs.delete(undisturbed.result.weights!);
  });
  afterAll(() => cache.blobs.delete(undisturbed.result.weights!));
  const leftOver = async () => ({
    snapshots: await readdir(cache.snapshots),
    blobs: (await readdir(cache.blobs.folder)).filter((sha256) => sha256 !== undisturbed.result.weights),
  });

  it('a trainer killed after an epoch repeats none before its snapshot, gives the same facts, and leaves nothing', async () => {
    const notices: string[] = [];
    const local = new LocalDispatcher({
      workers: 1,
      cacheRoot: cache.root,
      snapshotEpochs: 2,
      onNotice: (text) => notices.push(text),
    });
    const dispatcher = clearingSnapshots(local, cache);
    const { outcome, attempts } = await follow(
      (handlers) => dispatcher.dispatch(job(), handlers),
      () => process.kill(local.trainerPids[0]!, 'SIGKILL'),
    );
    await dispatcher.close();
    expect(outcome.result).toEqual(undisturbed.result);
    const [first, second] = attempts as [number[], number[]];
    const kept = second[0]! - 1;
    expect(kept % 2).toBe(0);
    expect(kept).toBeGreaterThanOrEqual(2);
    expect(kept).toBeLessThanOrEqual(first.at(-1)! + 2); // Words of a dying process may be lost.
    expect(second).toEqual(Array.from({ length: EPOCHS - kept }, (_, i) => kept + 1 + i));
    expect(notices).toEqual([`local-1: goes on from its snapshot: ${kept} epochs and 0 images are done`]);
    expect(await leftOver()).toEqual({ snapshots: [], blobs: [] });
  });

  it('a worker that gets SIGTERM puts the job down amid an epoch and gives it back at once; the next goes on there', async () => {
    const binary = findBrokerBinary(cache.root, process.env);
    if (!binary) throw new Error('wants a redis-server or valkey-server: "npm test" provisions one');
    const broker = await startBroker(binary);
    const connection = new Redis(broker.url, { maxRetriesPerRequest: null });
    const dispatcher = await QueueDispatcher.connect({ connection });
    // By itself no worker would keep anything.
    process.env.NESGD_SNAPSHOT_EPOCHS = '1000';
    const ends: string[] = [];
    const workers = new LocalWorkers({
      count: 1,
      redisUrl: broker.url,
      cacheRoot: cache.root,
      logFolder: `${workplace.folder}/logs`,
      watch: (event) => event.type === 'notice' && ends.push(event.text),
    });
    try {
      const { outcome, attempts } = await follow(
        (handlers) => clearingSnapshots(dispatcher, cache).dispatch(job(), handlers),
        () => process.kill([...workers.pids.values()][0]!, 'SIGTERM'),
      );
      expect(outcome.result).toEqual(undisturbed.result);
      const [first, second] = attempts as [number[], number[]];
      expect(second[0]).toBeGreaterThanOrEqual(first.at(-1)!);
      expect(second.at(-1)).toBe(EPOCHS);
      // Had its lock run out instead, the worker would have been noticed as gone.
      expect(ends).toEqual(['worker-1 ended with code 0; another takes its place']);
    } finally {
      delete process.env.NESGD_SNAPSHOT_EPOCHS;
      await dispatcher.close();
      await workers.close();
      connection.disconnect();
      await broker.stop();
    }
    expect(await leftOver()).toEqual({ snapshots: [], blobs: [] });
  });
});

it.runIf(usable)('a job that another kind of processor began is begun anew, to the bits of this kind', async () => {
  const training = { ...alphaJob.training, epochs: 4 };
  const job: AlphaJob = { ...alphaJob, runId: 'kinds', training, runtime: { engine: 'tensorflow', threads: 1 } };
  const notices: string[] = [];
  const dispatching = async <T>(epochs: number, use: (dispatcher: LocalDispatcher) => Promise<T>): Promise<T> => {
    const onNotice = (text: string) => notices.push(text);
    const dispatcher = new LocalDispatcher({ workers: 1, cacheRoot: cache.root, snapshotEpochs: epochs, onNotice });
    return use(dispatcher).finally(() => dispatcher.close());
  };
  const brokenOff = () =>
    dispatching(1, async (dispatcher) => {
      const enough = new AbortController();
      const onProgress = (_: string, { epoch }: { epoch: number }) => epoch >= 2 && enough.abort(new Error('enough'));
      await expect(dispatcher.dispatch(job, { signal: enough.signal, onProgress })).rejects.toThrow('enough');
    });
  const whole = (epochs: number) => dispatching(epochs, async (dispatcher) => (await dispatcher.dispatch(job)).result);
  const here = await whole(0);
  await brokenOff();
  try {
    // As if on a processor without AVX: TensorFlow's library takes other instructions, which add in another order.
    process.env.ONEDNN_MAX_CPU_ISA = 'SSE41';
    const there = await whole(0);
    expect(there.weights).not.toBe(here.weights);
    expect(await whole(1)).toEqual(there);
    expect(notices).toEqual([]);
  } finally {
    delete process.env.ONEDNN_MAX_CPU_ISA;
  }
  expect(await whole(1)).toEqual(here);
  expect(notices).toEqual([expect.stringMatching(/^local-1: goes on from its snapshot: \d+ epochs/)]);
  await new SnapshotStore(cache).clearAll(trainingKey(job));
  for (const sha256 of await readdir(cache.blobs.folder)) await cache.blobs.delete(sha256);
});

it('a job that a worker elsewhere puts down goes on on another machine, over HTTP, to the same facts', async () => {
  const binary = findBrokerBinary(cache.root, process.env);
  if (!binary) throw new Error('wants a redis-server or valkey-server: "npm test" provisions one');
  const job: AlphaJob = { ...alphaJob, runId: 'elsewhere', runtime: { engine: engines[0]!, threads: 1 } };
  const broker = await startBroker(binary);
  const connection = new Redis(broker.url, { maxRetriesPerRequest: null });
  const secret = 'secret-of-this-test-long-enough';
  const service = await startArtifactService({ host: '127.0.0.1', port: 0, secret }, { cache, watch: () => {} });
  const opened = { blocks: [{ name: 'all', parameters: 80_000 }] } as unknown as OpenedFact;
  const dispatcher = await QueueDispatcher.connect({ connection });
  const machines = await Promise.all([Workplace.create(), Workplace.create()]);
  const start = (i: number) =>
    machines[i]!.start(['worker', '--broker', broker.url, '--coordinator', service.url, '--name', `machine-${i}`], {
      NESGD_SECRET: secret,
      NESGD_SNAPSHOT_EPOCHS: '1000', // By itself no worker would keep anything.
    });
  try {
    const first = start(0);
    const { outcome, attempts } = await follow(
      (handlers) => clearingSnapshots(service.serving(dispatcher, opened), cache).dispatch(job, handlers),
      () => {
        first.child.kill('SIGTERM');
        void first.exited.then(() => start(1));
      },
    );
    expect(await first.exited, first.stderr).toMatchObject({ code: 0 });
    expect(outcome.provenance.worker).toBe('machine-1');
    const [before, after] = attempts as [number[], number[]];
    expect(after[0]).toBeGreaterThanOrEqual(before.at(-1)!);
    expect(after.at(-1)).toBe(EPOCHS);
    const local = new LocalDispatcher({ workers: 1, cacheRoot: cache.root, snapshotEpochs: 0 });
    const undisturbed = await local.dispatch(job);
    await local.close();
    expect(outcome.result).toEqual(undisturbed.result);
    expect(await readdir(cache.snapshots)).toEqual([]);
    expect(await readdir(cache.blobs.folder)).toEqual([outcome.result.weights]);
  } finally {
    await dispatcher.close();
    await service.close();
    connection.disconnect();
    await Promise.all(machines.map((machine) => machine.destroy()));
    await broker.stop();
  }
});

it('a part of a training that one machine did is gone on with by another, over HTTP, to the bits of the whole', async () => {
  const binary = findBrokerBinary(cache.root, process.env);
  if (!binary) throw new Error('wants a redis-server or valkey-server: "npm test" provisions one');
  const runtime: Runtime = { engine: engines[0]!, threads: 1 };
  const { learningRate, ...optimisation } = alphaJob.training;
  const local = new LocalDispatcher({ workers: 1, cacheRoot: cache.root, snapshotEpochs: 0 });
  const alpha = await local.dispatch({ ...alphaJob, runtime, training: { ...alphaJob.training, epochs: 1 } });
  const whole: EvaluateJob = {
    ...alphaJob,
    kind: 'evaluate',
    runId: 'parts',
    runtime,
    alpha: alpha.result.weights!,
    mask: '10110',
    repeat: 0,
    training: {
      ...optimisation,
      epochs: 4,
      learningRateRetained: learningRate / 10,
      learningRateReinitialised: learningRate,
    },
    keepWeightsAbove: null,
  };
  const undisturbed = await local.dispatch(whole);
  await local.close();

  const broker = await startBroker(binary);
  const connection = new Redis(broker.url, { maxRetriesPerRequest: null });
  const secret = 'secret-of-this-test-long-enough';
  const service = await startArtifactService({ host: '127.0.0.1', port: 0, secret }, { cache, watch: () => {} });
  const opened = { blocks: [{ name: 'all', parameters: 80_000 }] } as unknown as OpenedFact;
  const queue = await QueueDispatcher.connect({ connection });
  const dispatcher = clearingSnapshots(service.serving(queue, opened), cache);
  const machines = await Promise.all([Workplace.create(), Workplace.create()]);
  /** Each part on a machine that has nothing yet. */
  const doPart = async (i: number, from: number, until: number) => {
    const args = ['worker', '--broker', broker.url, '--coordinator', service.url, '--name', `machine-${i}`];
    const worker = machines[i]!.start(args, { NESGD_SECRET: secret, NESGD_SNAPSHOT_EPOCHS: '0' });
    const { outcome, attempts } = await follow(
      (handlers) => dispatcher.dispatch({ ...whole, part: { from, until } }, handlers),
      () => {},
    );
    worker.child.kill('SIGTERM');
    expect(await worker.exited, worker.stderr).toMatchObject({ code: 0 });
    expect(outcome.provenance.worker).toBe(`machine-${i}`);
    return { result: outcome.result, epochs: attempts.flat() };
  };
  try {
    const first = await doPart(0, 0, 2);
    const second = await doPart(1, 2, 4);
    expect([first.epochs, second.epochs]).toEqual([
      [1, 2],
      [3, 4],
    ]);
    expect(second.result).toMatchObject({
      accuracy: undisturbed.result.accuracy,
      weights: undisturbed.result.weights,
    });
    expect([...first.result.curve, ...second.result.curve]).toEqual(undisturbed.result.curve);
    expect(first.result.imagesTrained + second.result.imagesTrained).toBe(undisturbed.result.imagesTrained);
    expect(await readdir(cache.snapshots)).toEqual([]);
  } finally {
    await queue.close();
    await service.close();
    connection.disconnect();
    await Promise.all(machines.map((machine) => machine.destroy()));
    await broker.stop();
    for (const { weights } of [alpha.result, undisturbed.result]) if (weights) await cache.blobs.delete(weights);
  }
});
