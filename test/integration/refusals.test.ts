import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { prepareDataset } from '@nesgd/core/datasets';
import { type AlphaJob, type Job, PROTOCOL_VERSION } from '@nesgd/core/protocol';
import { findBrokerBinary, type RunningBroker, startBroker } from '@nesgd/core/runtime';
import { cacheFolder, defaultCacheRoot } from '@nesgd/core/storage';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { QueueDispatcher } from '../../apps/coordinator/src/dispatch/queue-dispatcher.js';
import { LocalWorkers } from '../../apps/coordinator/src/local-workers.js';
import { type Cli, until, Workplace } from '../support/cli.js';

/** Attempts that a job has when its trainer fails under it; a refusal must use up none of them. */
const ATTEMPTS = 3;

/** A worker that cannot do a job leaves it to others: it neither fails the job nor keeps taking it. */
describe('a job that a worker cannot do', () => {
  let here: Workplace;
  let elsewhere: Workplace;
  let broker: RunningBroker;
  let connection: Redis;
  let dispatcher: QueueDispatcher;
  let workers: LocalWorkers | undefined;
  let job: AlphaJob;

  beforeEach(async () => {
    here = await Workplace.create();
    elsewhere = await Workplace.create();
    const binary = findBrokerBinary(defaultCacheRoot(process.env), process.env);
    if (!binary) throw new Error('wants a redis-server or valkey-server: "npm test" provisions one');
    broker = await startBroker(binary);
    connection = new Redis(broker.url, { maxRetriesPerRequest: null });
    dispatcher = await QueueDispatcher.connect({ connection, attempts: ATTEMPTS });
    const dataset = {
      name: 'mnist',
      trainImages: 200,
      testImages: 100,
      validationFraction: 0.2,
      augmentation: { padCrop: 0, horizontalFlip: false },
    };
    const { split } = await prepareDataset(dataset, cacheFolder(here.env.NESGD_CACHE as string).datasets);
    job = {
      version: PROTOCOL_VERSION,
      runId: 'refusals',
      kind: 'alpha',
      seed: 3,
      runtime: { engine: 'wasm', threads: 1 },
      data: split,
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

  afterEach(async () => {
    await dispatcher.close();
    await workers?.close();
    workers = undefined;
    connection.disconnect();
    await here.destroy();
    await elsewhere.destroy();
    await broker.stop();
  });

  /** A worker with a cache folder of its own, quick to look at the queue again. */
  function workerElsewhere(env: NodeJS.ProcessEnv = {}): Cli {
    const args = ['worker', '--broker', broker.url, '--name', 'stranger'];
    return elsewhere.start(args, { NESGD_REFUSAL_PAUSE_MS: '50', ...env });
  }

  function workerHere(options: { runId?: string } = {}): LocalWorkers {
    const [cacheRoot, logFolder] = [here.env.NESGD_CACHE as string, join(here.folder, 'logs')];
    return new LocalWorkers({ count: 1, redisUrl: broker.url, cacheRoot, logFolder, watch: () => {}, ...options });
  }

  /** Sends a job and collects why it comes back. */
  function send(what: Job) {
    const reasons: string[] = [];
    const stop = new AbortController();
    const outcome = dispatcher.dispatch(what, { onRetry: (reason) => reasons.push(reason), signal: stop.signal });
    outcome.catch(() => {}); // Looked at by the test, later.
    return { outcome, reasons, withdraw: () => stop.abort(new Error('withdrawn')) };
  }

  const untilRefused = (reasons: readonly string[], times: number) =>
    until(`refused ${times} times (${reasons})`, async () => reasons.length >= times);

  /** A library that does not load, as on a machine without it. */
  async function withoutNativeLibraries(): Promise<{ NODE_OPTIONS: string }> {
    const path = join(here.folder, 'no-native-libraries.cjs');
    await writeFile(path, "process.dlopen = () => { throw new Error('there is no such library'); };");
    return { NODE_OPTIONS: `--require ${path}` };
  }

  it('for want of its data goes back as often as it takes, and is done by one who has them', async () => {
    const nothing = createServer((_, response) => response.writeHead(404).end());
    await new Promise<void>((resolve) => nothing.listen(0, '127.0.0.1', resolve));
    const address = `http://127.0.0.1:${(nothing.address() as AddressInfo).port}`;
    const stranger = workerElsewhere({ NESGD_COORDINATOR: address, NESGD_SECRET: 'the-secret-of-this-test' });
    const { outcome, reasons } = send(job);
    await untilRefused(reasons, ATTEMPTS + 1);
    workers = workerHere();
    expect((await outcome).provenance.worker).toBe('worker-1');
    for (const reason of reasons) expect(reason).toMatch(/^worker stranger cannot do it: .*does not know it/);
    expect(stranger.stdout).not.toContain('the-secret-of-this-test');
    nothing.close();
  });

  it('for want of its engine goes back as often as it takes', async () => {
    workerElsewhere(await withoutNativeLibraries());
    const { reasons, withdraw } = send({ ...job, runtime: { engine: 'tensorflow', threads: 1 } });
    await untilRefused(reasons, ATTEMPTS + 1);
    for (const reason of reasons) expect(reason).toMatch(/tensorflow engine does not run here: .*no such library/);
    withdraw();
  });

  it('for want of the engine that its own run chose for this machine fails with the reason', async () => {
    const { NODE_OPTIONS } = await withoutNativeLibraries();
    Object.assign(process.env, { NODE_OPTIONS });
    workers = workerHere({ runId: job.runId });
    delete process.env.NODE_OPTIONS;
    const { outcome } = send({ ...job, runtime: { engine: 'tensorflow', threads: 1 } });
    await expect(outcome).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
  });

  it('because it is of another protocol version waits for a worker of that, and others pass it by', async () => {
    const worker = workerElsewhere({ NESGD_CACHE: here.env.NESGD_CACHE });
    const newer = send({ ...job, version: PROTOCOL_VERSION + 1 } as unknown as Job);
    await untilRefused(newer.reasons, ATTEMPTS + 1);
    const passing = send(job);
    expect((await passing.outcome).provenance.worker).toBe('stranger');
    expect(newer.reasons[0]).toContain(`version ${PROTOCOL_VERSION + 1}, this worker speaks ${PROTOCOL_VERSION}`);
    expect(worker.stdout).toContain('goes back for others');
    newer.withdraw();
  });

  it('does not keep the worker from ending when it is told to', async () => {
    const worker = workerElsewhere({ NESGD_REFUSAL_PAUSE_MS: '600000' });
    const { reasons, withdraw } = send({ ...job, version: PROTOCOL_VERSION + 1 } as unknown as Job);
    await untilRefused(reasons, 1);
    worker.child.kill('SIGTERM');
    expect(await worker.exited, worker.stderr).toMatchObject({ code: 0 });
    withdraw();
  });
});
