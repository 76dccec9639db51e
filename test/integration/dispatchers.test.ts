import { prepareDataset } from '@nesgd/core/datasets';
import { type AlphaJob, type EvaluateJob, type Job, PROTOCOL_VERSION } from '@nesgd/core/protocol';
import type { Dispatcher } from '@nesgd/core/run';
import { detectEngines, findBrokerBinary, type RunningBroker, startBroker } from '@nesgd/core/runtime';
import { cacheFolder } from '@nesgd/core/storage';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LocalDispatcher } from '../../apps/coordinator/src/dispatch/local-dispatcher.js';
import { QueueDispatcher } from '../../apps/coordinator/src/dispatch/queue-dispatcher.js';
import { LocalWorkers } from '../../apps/coordinator/src/local-workers.js';
import { childrenOf, isAlive, until, Workplace } from '../support/cli.js';

/** Something that dispatches, its trainers, and how to end it all. */
interface Setting {
  readonly dispatcher: Dispatcher;
  trainerPids(): Promise<number[]>;
  end(): Promise<void>;
}

let workplace: Workplace;
let cacheRoot: string;
let alphaJob: AlphaJob;

beforeAll(async () => {
  workplace = await Workplace.create();
  cacheRoot = workplace.env.NESGD_CACHE as string;
  // The workers that this process starts read these from its environment.
  Object.assign(process.env, { NESGD_LOCK_DURATION_MS: '1500', NESGD_STALLED_INTERVAL_MS: '500' });
  const data = await prepareDataset(
    {
      name: 'mnist',
      trainImages: 200,
      testImages: 100,
      validationFraction: 0.2,
      augmentation: { padCrop: 0, horizontalFlip: false },
    },
    cacheFolder(cacheRoot).datasets,
  );
  const { usable } = detectEngines(cacheRoot).tensorflow;
  alphaJob = {
    version: PROTOCOL_VERSION,
    runId: 'conformance',
    kind: 'alpha',
    seed: 3,
    runtime: { engine: usable ? 'tensorflow' : 'wasm', threads: 1 },
    data: data.split,
    model: { name: 'resnet8', granularity: 'block' },
    measureOn: 'validation',
    training: {
      epochs: 1,
      learningRate: 0.1,
      schedule: 'cosine',
      milestones: [],
      gamma: 0.1,
      batchSize: 32,
      momentum: 0.9,
      weightDecay: 5e-4,
      weights: 'last',
    },
  };
});

afterAll(() => workplace.destroy());

async function localSetting(): Promise<Setting> {
  const dispatcher = new LocalDispatcher({ workers: 1, cacheRoot });
  return { dispatcher, trainerPids: async () => dispatcher.trainerPids, end: () => dispatcher.close() };
}

async function startTestBroker(): Promise<RunningBroker> {
  const binary = await findBrokerBinary(cacheRoot, process.env);
  if (!binary)
    throw new Error('the tests of the queue need a redis-server or valkey-server: "npm test" provisions one');
  return startBroker(binary);
}

async function queueSetting(): Promise<Setting & { broker: RunningBroker; connection: Redis; workers: LocalWorkers }> {
  const broker = await startTestBroker();
  const connection = new Redis(broker.url, { maxRetriesPerRequest: null });
  connection.on('error', () => {}); // Some tests take the broker away.
  const dispatcher = await QueueDispatcher.connect({ connection, reconcileIntervalMs: 300 });
  const workers = new LocalWorkers({
    count: 1,
    redisUrl: broker.url,
    cacheRoot,
    logFolder: `${workplace.folder}/logs`,
    watch: () => {},
  });
  return {
    dispatcher,
    broker,
    connection,
    workers,
    trainerPids: async () =>
      (await Promise.all([...workers.pids.values()].map((pid) => childrenOf(pid, 'trainer/main.js')))).flat(),
    async end() {
      await dispatcher.close();
      await workers.close();
      connection.disconnect();
      await broker.stop();
    },
  };
}

/** A job of the same kind that nobody has done before. */
function another(job: AlphaJob, seed: number): AlphaJob {
  return { ...job, seed };
}

describe.each([
  ['local', localSetting],
  ['queue', queueSetting],
] as const)('dispatcher %s', (_, start) => {
  let setting: Setting;
  beforeAll(async () => {
    setting = await start();
  });
  afterAll(() => setting.end());

  it('settles every job with its own outcome, more jobs than workers at once', async () => {
    const jobs = [alphaJob, another(alphaJob, 4), another(alphaJob, 5)];
    const outcomes = await Promise.all(jobs.map((job) => setting.dispatcher.dispatch(job)));
    expect(new Set(outcomes.map((outcome) => outcome.result.weights)).size).toBe(3);
    const again = await setting.dispatcher.dispatch(alphaJob);
    expect(again.result).toEqual(outcomes[0]?.result);
  });

  it('reports who does the job, and each epoch', async () => {
    const heard: string[] = [];
    await setting.dispatcher.dispatch(another(alphaJob, 6), {
      onStart: (worker) => heard.push(`start ${worker}`),
      onProgress: (worker, { epoch, epochs }) => heard.push(`${worker} ${epoch}/${epochs}`),
    });
    await until('the reports have arrived', async () => heard.length >= 2);
    expect(heard[0]).toMatch(/^start \S+-1$/);
    expect(heard.at(-1)).toMatch(/^\S+-1 1\/1$/);
  });

  it('does a job again whose trainer was killed under it', async () => {
    const reasons: string[] = [];
    let started = () => {};
    const hasStarted = new Promise<void>((resolve) => {
      started = resolve;
    });
    const long: AlphaJob = { ...another(alphaJob, 8), training: { ...alphaJob.training, epochs: 4 } };
    const outcome = setting.dispatcher.dispatch(long, {
      onProgress: () => started(),
      onRetry: (reason) => reasons.push(reason),
    });
    await hasStarted;
    const [trainer] = await setting.trainerPids();
    process.kill(trainer as number, 'SIGKILL');
    expect((await outcome).result.curve.length).toBe(4);
    expect(reasons.length).toBe(1);
  });

  it('does not do a job again that cannot succeed, and passes its error on', async () => {
    const hopeless: EvaluateJob = {
      ...alphaJob,
      kind: 'evaluate',
      alpha: '0'.repeat(64),
      mask: '10110',
      repeat: 0,
      keepWeightsAbove: null,
      training: {
        ...alphaJob.training,
        learningRateRetained: 0.01,
        learningRateReinitialised: 0.1,
      } as unknown as EvaluateJob['training'],
    };
    const { learningRate: _, ...training } = hopeless.training as unknown as Record<string, unknown>;
    const retried: string[] = [];
    await expect(
      setting.dispatcher.dispatch({ ...hopeless, training } as Job, { onRetry: (reason) => retried.push(reason) }),
    ).rejects.toMatchObject({ code: 'BLOB_MISSING', retryable: false });
    expect(retried).toEqual([]);
  });

  it('gives a job up when told so, and goes on with the next', async () => {
    const stop = new AbortController();
    // Nobody waits for its end: the one worker there is must have let go of it.
    const long: AlphaJob = { ...another(alphaJob, 9), training: { ...alphaJob.training, epochs: 1_000_000 } };
    const outcome = setting.dispatcher.dispatch(long, {
      onProgress: () => stop.abort(new Error('enough')),
      signal: stop.signal,
    });
    await expect(outcome).rejects.toThrow();
    expect((await setting.dispatcher.dispatch(another(alphaJob, 10))).result.curve.length).toBe(1);
  });
});

describe('dispatcher queue, besides', () => {
  it('finds a job that was done for an earlier coordinator, and does not have it done again', async () => {
    const setting = await queueSetting();
    const first = await setting.dispatcher.dispatch(alphaJob);
    await setting.workers.close(); // Nobody is left to do it again.
    const second = await (await QueueDispatcher.connect({ connection: setting.connection })).dispatch(alphaJob);
    expect(second).toEqual(first);
    await setting.end();
  });

  it('sends a job again that the broker has forgotten', async () => {
    const setting = await queueSetting();
    await setting.workers.close();
    const outcome = setting.dispatcher.dispatch(alphaJob);
    await until('the job waits', async () => (await setting.connection.keys('*conformance-alpha*')).length > 0);
    await setting.connection.flushall();
    const workers = new LocalWorkers({
      count: 1,
      redisUrl: setting.broker.url,
      cacheRoot,
      logFolder: `${workplace.folder}/logs`,
      watch: () => {},
    });
    expect((await outcome).result.curve.length).toBe(1);
    await workers.close();
    await setting.end();
  });

  it('a trainer that hangs is killed by its supervisor, and its job done again', async () => {
    process.env.NESGD_HANG_TIMEOUT_S = '8';
    const setting = await queueSetting();
    delete process.env.NESGD_HANG_TIMEOUT_S;
    const reasons: string[] = [];
    const long: AlphaJob = { ...another(alphaJob, 12), training: { ...alphaJob.training, epochs: 4 } };
    let stopped: number | undefined;
    const outcome = setting.dispatcher.dispatch(long, {
      onProgress: async () => {
        if (stopped !== undefined) return;
        stopped = 0;
        [stopped] = await setting.trainerPids();
        process.kill(stopped as number, 'SIGSTOP');
      },
      onRetry: (reason) => reasons.push(reason),
    });
    expect((await outcome).result.curve.length).toBe(4);
    expect(reasons.length).toBe(1);
    expect(await isAlive(stopped as number)).toBe(false);
    await setting.end();
  });

  it('a worker told to stop gives its job back, and another does it', async () => {
    const setting = await queueSetting();
    const workers: string[] = [];
    const long: AlphaJob = { ...another(alphaJob, 11), training: { ...alphaJob.training, epochs: 4 } };
    let told = false;
    const outcome = setting.dispatcher.dispatch(long, {
      onStart: (worker) => workers.push(worker),
      onProgress: () => {
        if (told) return;
        told = true;
        process.kill(setting.workers.pids.get('worker-1') as number, 'SIGTERM');
      },
    });
    expect((await outcome).result.curve.length).toBe(4);
    expect(workers.length).toBe(2);
    await setting.end();
  });
});
