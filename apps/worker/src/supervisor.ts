import { setTimeout as delay } from 'node:timers/promises';
import { NesgdError, UnwantedJobError } from '@nesgd/core/errors';
import type { Card } from '@nesgd/core/machine';
import {
  CANCELLED,
  describeJob,
  failureText,
  type Job,
  QUEUE_NAME,
  QUEUE_PREFIX,
  stopsBetween,
  type WorkerRecord,
  type WorkerReport,
} from '@nesgd/core/protocol';
import type { JobOutcome } from '@nesgd/core/run';
import { cacheFolder, type Snapshot, SnapshotStore, trainingKey } from '@nesgd/core/storage';
import { queueTelemetry } from '@nesgd/core/tracing';
import { TrainerSlot } from '@nesgd/core/trainer';
import { DelayedError, type Job as QueueJob, UnrecoverableError, WaitingError, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { CoordinatorClient } from './artifacts/coordinator-client.js';
import { RemoteArtifacts } from './artifacts/remote-artifacts.js';
import { BrokerOutage, isConnectionFault } from './broker-outage.js';
import type { WorkerConfig } from './config.js';
import { HealthFile } from './health/health-file.js';
import { parseJob } from './parse-job.js';
import { Pulse } from './pulse.js';
import { QueuePause } from './queue-pause.js';
import { RefusedJobError } from './refused-job-error.js';

/** What a trainer meets where a file in the cache folder is gone or has changed. */
const CACHE_FAULTS = new Set(['BLOB_MISSING', 'BLOB_CORRUPT', 'DATASET_MISSING', 'DATASET_CORRUPT', 'CHECKPOINT']);
/** What this machine lacks and another may have. */
const LACKING_HERE = new Set(['ENGINE_UNAVAILABLE', 'DISK_FULL', 'OUT_OF_MEMORY']);
const BACK_IN_QUEUE_AFTER_MS = 500;
/** Time to remove what nobody needs, at the end. */
const TIDY_GRACE_MS = 1_000;
/** Time to send the state of the job in hand before it goes back. */
const SNAPSHOT_GRACE_MS = 6_000;

/** The job's result is there: nobody will go on with it. */
class DoneElsewhereError extends UnwantedJobError {}

/**
 * Takes jobs off the queue, one at a time, and has a trainer child process do them.
 *
 * The lock on a job is renewed by a timer in this process, which computes nothing itself: a long training step can
 * never cost the lock. When this process dies the lock runs out and another worker's stalled check puts the job back.
 *
 * A job that this worker cannot do but another may (see RefusedJobError) goes back as well, and this worker leaves the
 * queue to the others for a while, or it would take the same job again at once.
 */
export class Supervisor {
  readonly #worker: Worker<unknown, JobOutcome>;
  readonly #connection: Redis;
  readonly #slot: TrainerSlot;
  readonly #snapshots: SnapshotStore;
  /** Undefined where the cache folder is the coordinator's own. */
  readonly #artifacts: RemoteArtifacts | undefined;
  readonly #pause: QueuePause;
  #refusal: string | null = null;
  #jobsDone = 0;
  #idle: NodeJS.Timeout | undefined;
  readonly #stop = new AbortController();
  readonly #pulse: Pulse;
  readonly #health: HealthFile | undefined;
  #current: { readonly id: string; readonly job: Job; readonly giveUp: AbortController } | undefined;
  #draining = false;
  #drained = false;

  constructor(
    private readonly config: WorkerConfig,
    private readonly log: Logger,
    private readonly onDrained: () => void,
    card?: Card,
  ) {
    this.#slot = new TrainerSlot({
      cacheRoot: config.cacheRoot,
      hangTimeoutMs: config.hangTimeoutMs,
      snapshotEpochs: config.snapshotEpochs,
      onOutput: (line) => log.debug({ line }, 'trainer output'),
    });
    this.#snapshots = new SnapshotStore(cacheFolder(config.cacheRoot));
    this.#artifacts = config.coordinator && this.#remoteArtifacts(new CoordinatorClient(config.coordinator));
    // A worker waits for its broker as long as it takes: null, or ioredis gives up after 20 tries.
    this.#connection = new Redis(config.redisUrl, { maxRetriesPerRequest: null });
    const outage = new BrokerOutage(log);
    this.#connection.on('error', (error) => outage.failed(error));
    this.#connection.on('ready', () => outage.over());
    this.#worker = new Worker<unknown, JobOutcome>(QUEUE_NAME, (job, token) => this.#process(job, token), {
      connection: this.#connection,
      prefix: QUEUE_PREFIX,
      name: config.name,
      concurrency: 1,
      ...queueTelemetry(),
      lockDuration: config.lockDurationMs,
      stalledInterval: config.stalledIntervalMs,
      // A worker's death is not the job's fault: borrowed machines come and go all week.
      maxStalledCount: 10,
    });
    this.#pause = new QueuePause(this.#worker, config.refusalPauseMs);
    this.#worker.on('error', (error) => {
      if (isConnectionFault(error)) outage.failed(error);
      else log.warn({ error: error.message }, 'queue');
    });
    // Another worker has the job by now, or will soon.
    this.#worker.on('lockRenewalFailed', (jobIds) => {
      for (const id of jobIds) this.#giveUp(id, new UnwantedJobError(CANCELLED, 'the lock on it was lost'));
    });
    this.#pulse = new Pulse({
      connection: this.#connection,
      name: config.name,
      card: card && { ...card, memoryMb: card.memoryMb ?? null },
      intervalMs: config.pulseMs,
      state: () => this.#state(),
      onDrain: () => this.#drain('told to end', config.staysDrained),
      onCancel: (jobId, why) =>
        this.#giveUp(
          jobId,
          why === 'done'
            ? new DoneElsewhereError(CANCELLED, 'another worker has done it')
            : new NesgdError(CANCELLED, 'its run gave it up'),
        ),
    });
    this.#worker.on('completed', ({ data }) => {
      if (!stopsBetween(data as Job)) this.#snapshots.clearAll(trainingKey(data as Job)).catch(() => {});
    });
    this.#health = config.healthFile === undefined ? undefined : this.#keepHealthFile(config.healthFile);
    this.#waitForAJob();
    this.#worker.on('stalled', (jobId) => log.warn({ jobId }, 'a worker went silent; its job is back in the queue'));
  }

  async ready(): Promise<void> {
    await this.#snapshots.sweep();
    await this.#worker.waitUntilReady();
  }

  /** Puts the current job's state down, gives it back to the queue, where another worker goes on with it, and ends. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#pause.stop();
    clearTimeout(this.#idle);
    await this.#worker.close();
    await this.#slot.close();
    await this.#pulse.stop();
    await this.#health?.close();
    this.#connection.disconnect();
  }

  #state(): Pick<WorkerRecord, 'state' | 'job' | 'ofRun'> {
    const current = this.#current;
    const state: WorkerRecord['state'] = this.#drained
      ? 'drained'
      : this.#draining
        ? 'draining'
        : current
          ? 'busy'
          : 'idle';
    const known = { state, ...(this.config.ownRunIds.length > 0 && { ofRun: true as const }) };
    if (!current) return { ...known, job: null };
    const { id, job } = current;
    return { ...known, job: { id, runId: job.runId, what: describeJob(job) } };
  }

  /** Finishes the current job, takes no other, and ends; or stays without work until it gets a signal. */
  #drain(why: string, stays = false): void {
    if (this.#draining || this.#stop.signal.aborted) return;
    this.#draining = true;
    this.log.info(`drained: ${why}; the current job is the last`);
    this.#pause.stop();
    clearTimeout(this.#idle);
    void this.#worker.close().then(async () => {
      if (!stays) return this.onDrained();
      await this.#slot.close();
      this.#drained = true;
      this.log.info('drained: does nothing more, and waits to be ended by a signal');
    });
  }

  /** A worker that waits on a card that others could use shall not do so for ever, where it is told how long it may. */
  #waitForAJob(): void {
    const { idleMs } = this.config;
    if (idleMs === undefined || this.#draining) return;
    clearTimeout(this.#idle);
    this.#idle = setTimeout(() => this.#drain(`no job for ${idleMs / 1000} s`), idleMs);
  }

  #countJob(): void {
    this.#jobsDone += 1;
    if (this.#jobsDone === this.config.jobs) this.#drain(`${this.#jobsDone} of ${this.config.jobs} jobs are done`);
  }

  #keepHealthFile(path: string): HealthFile {
    return new HealthFile({
      path,
      everyMs: this.config.pulseMs,
      observe: () => ({
        brokerSilentMs: this.#pulse.silentMs,
        trainerSilentMs: this.#slot.ping() ?? null,
        refusal: this.#refusal,
      }),
      log: this.log,
    });
  }

  #giveUp(jobId: string, reason: NesgdError): void {
    if (this.#current?.id !== jobId || this.#current.giveUp.signal.aborted) return;
    this.log.info({ jobId }, `job given up: ${reason.message}`);
    this.#current.giveUp.abort(reason);
  }

  async #process(queued: QueueJob<unknown, JobOutcome>, token?: string): Promise<JobOutcome> {
    const log = this.log.child({ jobId: queued.id });
    clearTimeout(this.#idle);
    const giveUp = new AbortController();
    const report = (progress: WorkerReport['progress']) => {
      const message: WorkerReport = { worker: this.config.name, progress };
      // Progress is worth nothing later: never wait for it, never fail for it.
      queued.updateProgress(message).catch((error) => log.debug({ error: String(error) }, 'progress not sent'));
    };
    try {
      const job = parseJob(queued.data);
      this.#current = { id: queued.id ?? '', job, giveUp };
      report(null);
      log.info(
        { kind: job.kind, runId: job.runId, mask: job.kind === 'evaluate' ? job.mask : undefined },
        'job started',
      );
      const { result, seconds, ...means } = await this.#do(
        job,
        report,
        AbortSignal.any([this.#stop.signal, giveUp.signal]),
      );
      log.info({ accuracy: result.accuracy, seconds }, 'job done');
      this.#pause.reset();
      this.#refusal = null;
      this.#countJob();
      return { result, provenance: { worker: this.config.name, seconds, ...means } };
    } catch (error) {
      if (this.#stop.signal.aborted) {
        await this.#artifacts?.snapshots.sent(SNAPSHOT_GRACE_MS);
        // Stopping is not a failure: the job goes back whole, without using up one of its attempts.
        await queued.moveToWait(token);
        throw new WaitingError();
      }
      if (giveUp.signal.aborted) throw new UnrecoverableError(failureText(giveUp.signal.reason));
      if (error instanceof RefusedJobError) return this.#handBack(queued, token, error);
      const known =
        error instanceof NesgdError ? error : new NesgdError('UNEXPECTED', String(error), true, { cause: error });
      this.#countJob();
      log.error({ code: known.code, retryable: known.retryable }, known.message);
      throw known.retryable ? new Error(failureText(known)) : new UnrecoverableError(failureText(known));
    } finally {
      const left = this.#current && this.#artifacts?.snapshots.leave(this.#current.job, !this.#isDoneElsewhere(giveUp));
      this.#current = undefined;
      this.#waitForAJob();
      if (this.#stop.signal.aborted) await Promise.race([left, delay(TIDY_GRACE_MS, undefined, { ref: false })]);
    }
  }

  #isDoneElsewhere({ signal }: AbortController): boolean {
    return signal.aborted && signal.reason instanceof DoneElsewhereError;
  }

  /** Fetches what the job names, has it done, and sends the weights that it stored. */
  async #do(job: Job, onProgress: (progress: WorkerReport['progress']) => void, signal: AbortSignal) {
    const onNotice = (text: string) => this.log.warn({ runId: job.runId, kind: job.kind }, text);
    const onSnapshot = (snapshot: Snapshot) => this.#artifacts?.snapshots.send(job, snapshot);
    const train = () =>
      this.#slot
        .run(job, { onProgress, onNotice, onSnapshot, signal })
        .catch((error) => this.#refuseForLackOfMeans(job, error));
    const artifacts = this.#artifacts;
    if (!artifacts) return train();

    let release = await artifacts.prepare(job, signal);
    try {
      const done = await train().catch(async (error) => {
        if (signal.aborted || !(error instanceof NesgdError && CACHE_FAULTS.has(error.code))) throw error;
        await artifacts.discardDamaged(job);
        release();
        release = await artifacts.prepare(job, signal);
        return train();
      });
      await artifacts.deliver(done.result, signal);
      // Whoever goes on with it may be elsewhere.
      if (stopsBetween(job)) await artifacts.snapshots.allSent(signal);
      return done;
    } finally {
      release();
    }
  }

  #refuseForLackOfMeans(job: Job, error: unknown): never {
    const lacking = error instanceof NesgdError && LACKING_HERE.has(error.code);
    // The run that started this worker chose the engine and the cache: it shall end with the reason, not wait.
    if (!lacking || this.config.ownRunIds.includes(job.runId)) throw error;
    throw new RefusedJobError(error.code, error.message, { cause: error });
  }

  async #handBack(
    queued: QueueJob<unknown, JobOutcome>,
    token: string | undefined,
    refusal: RefusedJobError,
  ): Promise<never> {
    this.#refusal = refusal.message;
    const text = `this worker cannot do the job, which goes back for others: ${refusal.message}`;
    this.log.warn({ jobId: queued.id, code: refusal.code }, text);
    const report: WorkerReport = { worker: this.config.name, progress: null, refusal: refusal.message.slice(0, 1_000) };
    await queued.updateProgress(report).catch(() => {});
    await this.#pause.begin();
    // Behind the others, or jobs that nobody here can do would stand before those that somebody can.
    await queued.moveToDelayed(Date.now() + BACK_IN_QUEUE_AFTER_MS, token);
    throw new DelayedError();
  }

  #remoteArtifacts(coordinator: CoordinatorClient): RemoteArtifacts {
    const { cacheRoot, cacheLimitBytes } = this.config;
    return new RemoteArtifacts({ cache: cacheFolder(cacheRoot), coordinator, log: this.log, cacheLimitBytes });
  }
}
