import { InputError, NesgdError } from '@nesgd/core/errors';
import { failureText, type Job, jobSchema, QUEUE_NAME, QUEUE_PREFIX, type WorkerReport } from '@nesgd/core/protocol';
import type { JobOutcome } from '@nesgd/core/run';
import { TrainerSlot } from '@nesgd/core/trainer';
import { type Job as QueueJob, UnrecoverableError, WaitingError, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import type { Logger } from 'pino';
import type { WorkerConfig } from './config.js';

/**
 * Takes jobs off the queue, one at a time, and has a trainer child process do them.
 *
 * The lock on a job is renewed by a timer in this process, which computes nothing itself: a long training step can
 * never cost the lock. When this process dies the lock runs out and another worker's stalled check puts the job back.
 */
export class Supervisor {
  readonly #worker: Worker<unknown, JobOutcome>;
  readonly #connection: Redis;
  readonly #slot: TrainerSlot;
  readonly #stop = new AbortController();

  constructor(
    private readonly config: WorkerConfig,
    private readonly log: Logger,
  ) {
    this.#slot = new TrainerSlot({
      cacheRoot: config.cacheRoot,
      onOutput: (line) => log.debug({ line }, 'trainer output'),
    });
    // A worker waits for its broker as long as it takes: null, or ioredis gives up after 20 tries.
    this.#connection = new Redis(config.redisUrl, { maxRetriesPerRequest: null });
    this.#connection.on('error', (error) => log.warn({ error: error.message }, 'broker connection'));
    this.#worker = new Worker<unknown, JobOutcome>(QUEUE_NAME, (job, token) => this.#process(job, token), {
      connection: this.#connection,
      prefix: QUEUE_PREFIX,
      name: config.name,
      concurrency: 1,
      lockDuration: config.lockDurationMs,
      stalledInterval: config.stalledIntervalMs,
      // A worker's death is not the job's fault: borrowed machines come and go all week.
      maxStalledCount: 10,
    });
    this.#worker.on('error', (error) => log.warn({ error: error.message }, 'queue'));
    this.#worker.on('stalled', (jobId) => log.warn({ jobId }, 'a worker went silent; its job is back in the queue'));
  }

  async ready(): Promise<void> {
    await this.#worker.waitUntilReady();
  }

  /** Gives the current job back to the queue, where another worker starts it anew, and ends. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#worker.close();
    await this.#slot.close();
    this.#connection.disconnect();
  }

  async #process(queued: QueueJob<unknown, JobOutcome>, token?: string): Promise<JobOutcome> {
    const log = this.log.child({ jobId: queued.id });
    const report = (progress: WorkerReport['progress']) => {
      const message: WorkerReport = { worker: this.config.name, progress };
      // Progress is worth nothing later: never wait for it, never fail for it.
      queued.updateProgress(message).catch((error) => log.debug({ error: String(error) }, 'progress not sent'));
    };
    try {
      const job = parseJob(queued.data);
      report(null);
      log.info(
        { kind: job.kind, runId: job.runId, mask: job.kind === 'evaluate' ? job.mask : undefined },
        'job started',
      );
      const { result, seconds, engine } = await this.#slot.run(job, { onProgress: report, signal: this.#stop.signal });
      log.info({ accuracy: result.accuracy, seconds }, 'job done');
      return { result, provenance: { worker: this.config.name, engine, seconds } };
    } catch (error) {
      if (this.#stop.signal.aborted) {
        // Stopping is not a failure: the job goes back whole, without using up one of its attempts.
        await queued.moveToWait(token);
        throw new WaitingError();
      }
      const known =
        error instanceof NesgdError ? error : new NesgdError('UNEXPECTED', String(error), true, { cause: error });
      log.error({ code: known.code, retryable: known.retryable }, known.message);
      throw known.retryable ? new Error(failureText(known)) : new UnrecoverableError(failureText(known));
    }
  }
}

/** @throws InputError for a payload of another version or shape: no worker of this version could do it. */
function parseJob(data: unknown): Job {
  const parsed = jobSchema.safeParse(data);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new InputError(
    'JOB_PAYLOAD',
    `the job is not one that this worker knows (${issue?.path.join('.')}: ${issue?.message}): coordinator and worker must be of one version`,
  );
}
