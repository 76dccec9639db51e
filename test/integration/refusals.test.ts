import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, join } from 'node:path';
import { type DatasetSpec, prepareDataset } from '@nesgd/core/datasets';
import { type AlphaJob, type Job, PROTOCOL_VERSION } from '@nesgd/core/protocol';
import type { OpenedFact } from '@nesgd/core/run';
import { findBrokerBinary, type RunningBroker, startBroker } from '@nesgd/core/runtime';
import { type CacheFolder, cacheFolder, defaultCacheRoot } from '@nesgd/core/storage';
import { type Artifact, artifactPath } from '@nesgd/core/transfer';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { QueueDispatcher } from '../../apps/coordinator/src/dispatch/queue-dispatcher.js';
import { startArtifactService } from '../../apps/coordinator/src/http/artifact-service.js';
import { LocalWorkers } from '../../apps/coordinator/src/local-workers.js';
import { type Cli, childrenOf, until, Workplace } from '../support/cli.js';

/** Attempts that a job has when its trainer fails under it; a refusal must use up none of them. */
const ATTEMPTS = 3;

/** One that cannot do a job leaves it to others: it neither fails the job nor keeps taking it. */
describe('workers of other machines and versions', () => {
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
    const dataset: DatasetSpec = {
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

  function workerHere(options: { runIds?: readonly string[] } = {}): LocalWorkers {
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

  it('a job whose data a worker cannot get goes back as often as it takes, and is done by one who has them', async () => {
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

  it('a data set that was damaged on the disk is fetched anew, the job done, and its weights sent', async () => {
    const [home, away] = [here, elsewhere].map(({ env }) => cacheFolder(env.NESGD_CACHE as string));
    const packed: Artifact = { kind: 'datasets', sha256: job.data.dataset };
    const damaged = await readFile(artifactPath(home as CacheFolder, packed));
    damaged[damaged.length - 1]! ^= 1;
    await mkdir(dirname(artifactPath(away as CacheFolder, packed)), { recursive: true });
    await writeFile(artifactPath(away as CacheFolder, packed), damaged);

    const secret = 'the-secret-of-this-test';
    const service = await startArtifactService(
      { host: '127.0.0.1', port: 0, secret },
      { cache: home as CacheFolder, watch: () => {} },
    );
    const opened = { blocks: [{ parameters: 1_000_000 }] } as unknown as OpenedFact;
    const stranger = workerElsewhere({ NESGD_COORDINATOR: service.url, NESGD_SECRET: secret });
    const { result } = await service.serving(dispatcher, opened).dispatch(job);
    expect(stranger.stdout).toContain('has changed on the disk');
    expect(await home?.blobs.has(result.weights as string)).toBe(true);
    await service.close();
  });

  it('a job whose engine a machine lacks goes back as often as it takes', async () => {
    workerElsewhere(await withoutNativeLibraries());
    const { reasons, withdraw } = send({ ...job, runtime: { engine: 'tensorflow', threads: 1 } });
    await untilRefused(reasons, ATTEMPTS + 1);
    for (const reason of reasons) expect(reason).toMatch(/tensorflow engine does not run here: .*no such library/);
    withdraw();
  });

  it('a job whose engine is lacking where its own run chose it fails with the reason', async () => {
    const { NODE_OPTIONS } = await withoutNativeLibraries();
    Object.assign(process.env, { NODE_OPTIONS });
    workers = workerHere({ runIds: [job.runId] });
    delete process.env.NODE_OPTIONS;
    const { outcome } = send({ ...job, runtime: { engine: 'tensorflow', threads: 1 } });
    await expect(outcome).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
  });

  it('a job of another protocol version waits for a worker that speaks it, and others pass it by', async () => {
    const worker = workerElsewhere({ NESGD_CACHE: here.env.NESGD_CACHE });
    const newer = send({ ...job, version: PROTOCOL_VERSION + 1 } as unknown as Job);
    await untilRefused(newer.reasons, ATTEMPTS + 1);
    const passing = send(job);
    expect((await passing.outcome).provenance.worker).toBe('stranger');
    expect(newer.reasons[0]).toContain(`version ${PROTOCOL_VERSION + 1}, this worker speaks ${PROTOCOL_VERSION}`);
    expect(worker.stdout).toContain('goes back for others');
    newer.withdraw();
  });

  it('killed, "nesgd worker" takes its worker process with it', async () => {
    const worker = workerElsewhere();
    await until('the worker waits for jobs', async () => worker.stdout.includes('waiting for jobs'));
    const [pid] = await childrenOf(worker.child.pid as number, 'worker/dist/main.js');
    worker.child.kill('SIGKILL');
    await until('its process is gone', async () => !existsSync(`/proc/${pid}`));
  });

  it('a worker that leaves the queue alone for a while still ends when it is told to', async () => {
    const worker = workerElsewhere({ NESGD_REFUSAL_PAUSE_MS: '600000' });
    const { reasons, withdraw } = send({ ...job, version: PROTOCOL_VERSION + 1 } as unknown as Job);
    await untilRefused(reasons, 1);
    worker.child.kill('SIGTERM');
    expect(await worker.exited, worker.stderr).toMatchObject({ code: 0 });
    withdraw();
  });
});
