import { setTimeout as delay } from 'node:timers/promises';
import { NesgdError, UnwantedJobError } from '@nesgd/core/errors';
import type { Card } from '@nesgd/core/machine';
import {
  CANCELLED,
  type CancelReason,
  describeJob,
  failureText,
  type Job,
  QUEUE_NAME,
  QUEUE_PREFIX,
  type WorkerRecord,
  type WorkerReport,
} from '@nesgd/core/protocol';
import type { JobOutcome } from '@nesgd/core/run';
import { queueTelemetry } from '@nesgd/core/tracing';
import { DelayedError, type Job as QueueJob, UnrecoverableError, WaitingError, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import type { Logger } from 'pino';
import { BrokerOutage, isConnectionFault } from './broker-outage.js';
import type { WorkerConfig } from './config.js';
import { HealthFile } from './health/health-file.js';
import { JobRunner, type OnProgress } from './job-runner.js';
import { parseJob } from './parse-job.js';
import { Pulse } from './pulse.js';
import { QueuePause } from './queue-pause.js';
import { RefusedJobError } from './refused-job-error.js';

const BACK_IN_QUEUE_AFTER_MS = 500;
/** Time to remove what nobody needs, at the end. */
const TIDY_GRACE_MS = 1_000;

/** The job's result is there: nobody will go on with it. */
class DoneElsewhereError extends UnwantedJobError {}

const REASONS: Record<CancelReason, () => NesgdError> = {
  done: () => new DoneElsewhereError(CANCELLED, 'another worker has done it'),
  stopped: () => new NesgdError(CANCELLED, 'its run gave it up'),
};

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
  readonly #outage: BrokerOutage;
  readonly #connection: Redis;
  readonly #runner: JobRunner;
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
    this.#runner = new JobRunner(config, log);
    this.#outage = new BrokerOutage(log);
    this.#connection = this.#connect();
    this.#worker = this.#takeJobs();
    this.#pause = new QueuePause(this.#worker, config.refusalPauseMs);
    this.#pulse = this.#startPulse(card);
    this.#health = config.healthFile === undefined ? undefined : this.#keepHealthFile(config.healthFile);
    this.#waitForAJob();
  }

  async ready(): Promise<void> {
    await this.#runner.sweep();
    await this.#worker.waitUntilReady();
  }

  /** Puts the current job's state down, gives it back to the queue, where another worker goes on with it, and ends. */
  async close(): Promise<void> {
    this.#stop.abort();
    this.#pause.stop();
    clearTimeout(this.#idle);
    await this.#worker.close();
    await this.#runner.close();
    await this.#pulse.stop();
    await this.#health?.close();
    this.#connection.disconnect();
  }

  #connect(): Redis {
    // A worker waits for its broker as long as it takes: null, or ioredis gives up after 20 tries.
    const connection = new Redis(this.config.redisUrl, { maxRetriesPerRequest: null });
    connection.on('error', (error) => this.#outage.failed(error));
    connection.on('ready', () => this.#outage.over());
    return connection;
  }

  #takeJobs(): Worker<unknown, JobOutcome> {
    const { config, log } = this;
    const worker = new Worker<unknown, JobOutcome>(QUEUE_NAME, (job, token) => this.#process(job, token), {
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
    worker.on('error', (error) => {
      if (isConnectionFault(error)) this.#outage.failed(error);
      else log.warn({ error: error.message }, 'queue');
    });
    worker.on('stalled', (jobId) => log.warn({ jobId }, 'a worker went silent; its job is back in the queue'));
    // Another worker has the job by now, or will soon.
    worker.on('lockRenewalFailed', (jobIds) => {
      for (const id of jobIds) this.#giveUp(id, new UnwantedJobError(CANCELLED, 'the lock on it was lost'));
    });
    worker.on('completed', ({ data }) => {
      this.#runner.forgetStates(data as Job).catch(() => {});
    });
    return worker;
  }

  #startPulse(card: Card | undefined): Pulse {
    return new Pulse({
      connection: this.#connection,
      name: this.config.name,
      card: card && { ...card, memoryMb: card.memoryMb ?? null },
      intervalMs: this.config.pulseMs,
      state: () => this.#state(),
      onDrain: () => this.#drain('told to end', this.config.staysDrained),
      onCancel: (jobId, why) => this.#giveUp(jobId, REASONS[why]()),
    });
  }

  #state(): Pick<WorkerRecord, 'state' | 'job' | 'ofRun'> {
    const known = { state: this.#activity(), ...(this.config.ownRunIds.length > 0 && { ofRun: true as const }) };
    if (!this.#current) return { ...known, job: null };
    const { id, job } = this.#current;
    return { ...known, job: { id, runId: job.runId, what: describeJob(job) } };
  }

  #activity(): WorkerRecord['state'] {
    if (this.#drained) return 'drained';
    if (this.#draining) return 'draining';
    return this.#current ? 'busy' : 'idle';
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
      await this.#runner.close();
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
        trainerSilentMs: this.#runner.pingTrainer() ?? null,
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
    clearTimeout(this.#idle);
    const giveUp = new AbortController();
    try {
      const job = parseJob(queued.data);
      this.#current = { id: queued.id ?? '', job, giveUp };
      return await this.#do(queued, job, AbortSignal.any([this.#stop.signal, giveUp.signal]));
    } catch (error) {
      if (this.#stop.signal.aborted) return await this.#giveBack(queued, token);
      if (giveUp.signal.aborted) throw new UnrecoverableError(failureText(giveUp.signal.reason));
      if (error instanceof RefusedJobError) return await this.#refuse(queued, token, error);
      throw this.#failed(queued, error);
    } finally {
      const isDoneElsewhere = giveUp.signal.reason instanceof DoneElsewhereError;
      const left = this.#current && this.#runner.leave(this.#current.job, !isDoneElsewhere);
      this.#current = undefined;
      this.#waitForAJob();
      if (this.#stop.signal.aborted) await Promise.race([left, delay(TIDY_GRACE_MS, undefined, { ref: false })]);
    }
  }

  async #do(queued: QueueJob<unknown, JobOutcome>, job: Job, signal: AbortSignal): Promise<JobOutcome> {
    const log = this.log.child({ jobId: queued.id });
    const report: OnProgress = (progress) => {
      const message: WorkerReport = { worker: this.config.name, progress };
      // Progress is worth nothing later: never wait for it, never fail for it.
      queued.updateProgress(message).catch((error) => log.debug({ error: String(error) }, 'progress not sent'));
    };
    report(null);
    const { kind, runId } = job;
    log.info({ kind, runId, mask: job.kind === 'evaluate' ? job.mask : undefined }, 'job started');
    const { result, seconds, ...means } = await this.#runner.run(job, report, signal);
    log.info({ accuracy: result.accuracy, seconds }, 'job done');
    this.#pause.reset();
    this.#refusal = null;
    this.#countJob();
    return { result, provenance: { worker: this.config.name, seconds, ...means } };
  }

  /** Stopping is not a failure: the job goes back whole, without using up one of its attempts. */
  async #giveBack(queued: QueueJob<unknown, JobOutcome>, token: string | undefined): Promise<never> {
    await this.#runner.stateSent();
    await queued.moveToWait(token);
    throw new WaitingError();
  }

  #failed(queued: QueueJob, error: unknown): Error {
    const known =
      error instanceof NesgdError ? error : new NesgdError('UNEXPECTED', String(error), true, { cause: error });
    this.#countJob();
    this.log.error({ jobId: queued.id, code: known.code, retryable: known.retryable }, known.message);
    return known.retryable ? new Error(failureText(known)) : new UnrecoverableError(failureText(known));
  }

  async #refuse(
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
}
