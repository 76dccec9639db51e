import { NesgdError } from '@nesgd/core/errors';
import {
  failureFromText,
  type Job,
  jobOutcomeSchema,
  QUEUE_NAME,
  QUEUE_PREFIX,
  workerReportSchema,
} from '@nesgd/core/protocol';
import {
  DEFAULT_ATTEMPTS,
  type Dispatcher,
  type DispatchHandlers,
  type JobOutcome,
  sha256OfJson,
} from '@nesgd/core/run';
import { Queue, QueueEvents, type Job as QueueJob } from 'bullmq';
import type { Redis } from 'ioredis';

export interface QueueDispatcherOptions {
  /** A connected client; closed by whoever made it. */
  readonly connection: Redis;
  /** Tries of a job whose trainer failed under it; a dead worker does not use one up. */
  readonly attempts?: number;
  /** How often pending jobs are looked up, should an event have been lost. */
  readonly reconcileIntervalMs?: number;
}

interface Pending {
  readonly job: Job;
  readonly handlers: DispatchHandlers;
  readonly resolve: (outcome: JobOutcome) => void;
  readonly reject: (error: unknown) => void;
  worker: string;
  /** Its worker has just said why it cannot do the job; that it is back in the queue is no further news. */
  refused: boolean;
}

const DAY_SECONDS = 24 * 3600;

/**
 * Sends jobs to whichever workers listen on the broker.
 *
 * A job's id is a hash of its content, which makes dispatching idempotent: a coordinator that was killed and resumed
 * finds the jobs it had sent, done or under way, instead of having them done again.
 *
 * Events bring news fast but can be lost (a reconnect, a broker restart), so the queue itself is asked now and then;
 * a job that the broker has forgotten is sent again.
 */
export class QueueDispatcher implements Dispatcher {
  readonly #queue: Queue;
  readonly #events: QueueEvents;
  readonly #pending = new Map<string, Pending>();
  readonly #attempts: number;
  readonly #reconcile: NodeJS.Timeout;

  private constructor(options: QueueDispatcherOptions) {
    this.#attempts = options.attempts ?? DEFAULT_ATTEMPTS;
    this.#queue = new Queue(QUEUE_NAME, { connection: options.connection, prefix: QUEUE_PREFIX });
    this.#events = new QueueEvents(QUEUE_NAME, { connection: options.connection, prefix: QUEUE_PREFIX });
    // Without a listener a lost connection would end the process; both reconnect by themselves.
    this.#queue.on('error', () => {});
    this.#events.on('error', () => {});
    this.#events.on('completed', ({ jobId }) => this.#lookUp(jobId));
    this.#events.on('failed', ({ jobId }) => this.#lookUp(jobId));
    this.#events.on('progress', ({ jobId, data }) => this.#report(jobId, data));
    this.#events.on('stalled', ({ jobId }) => {
      const pending = this.#pending.get(jobId);
      pending?.handlers.onRetry?.(`worker ${pending.worker || '?'} went silent`);
    });
    this.#events.on('waiting', ({ jobId, prev }) => {
      if (prev === 'active') this.#returned(jobId, 'its worker gave it back');
    });
    this.#events.on('delayed', ({ jobId }) => this.#returned(jobId, 'its trainer failed'));
    this.#reconcile = setInterval(() => {
      for (const id of this.#pending.keys()) this.#lookUp(id);
    }, options.reconcileIntervalMs ?? 5_000).unref();
  }

  static async connect(options: QueueDispatcherOptions): Promise<QueueDispatcher> {
    const dispatcher = new QueueDispatcher(options);
    await Promise.all([dispatcher.#queue.waitUntilReady(), dispatcher.#events.waitUntilReady()]);
    return dispatcher;
  }

  async dispatch(job: Job, handlers: DispatchHandlers = {}): Promise<JobOutcome> {
    handlers.signal?.throwIfAborted();
    const id = jobIdOf(job);
    const outcome = new Promise<JobOutcome>((resolve, reject) => {
      this.#pending.set(id, { job, handlers, resolve, reject, worker: '', refused: false });
    });
    outcome.catch(() => {}); // It may be withdrawn while it is being sent, before anybody awaits it.
    const withdraw = () => this.#withdraw(id, handlers.signal?.reason);
    handlers.signal?.addEventListener('abort', withdraw, { once: true });
    try {
      await this.#send(id, job);
      await this.#lookUp(id); // It may have been done for an earlier coordinator of this run.
      return await outcome;
    } finally {
      handlers.signal?.removeEventListener('abort', withdraw);
      this.#pending.delete(id);
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#reconcile);
    for (const id of [...this.#pending.keys()])
      await this.#withdraw(id, new NesgdError('ABORTED', 'the dispatcher was closed'));
    await Promise.allSettled([this.#queue.close(), this.#events.close()]);
  }

  async #send(id: string, job: Job): Promise<void> {
    const existing = (await this.#queue.getJob(id)) as QueueJob | undefined;
    // Adding a job whose id exists does nothing; one that failed for an earlier coordinator deserves a new chance.
    if (existing && (await existing.isFailed())) await existing.remove();
    await this.#queue.add(job.kind, job, {
      jobId: id,
      attempts: this.#attempts,
      backoff: { type: 'fixed', delay: 500 },
      removeOnComplete: { age: DAY_SECONDS },
      removeOnFail: { age: DAY_SECONDS },
    });
  }

  async #lookUp(id: string): Promise<void> {
    const pending = this.#pending.get(id);
    if (!pending) return;
    try {
      const state = await this.#queue.getJobState(id);
      if (state === 'unknown') return await this.#send(id, pending.job);
      if (state !== 'completed' && state !== 'failed') return;
      // Read after its state: one that was read before may have ended in between, and have no result in it.
      const ended = (await this.#queue.getJob(id)) as QueueJob | undefined;
      if (!ended) return; // Gone in between: the next look-up sends it again.
      if (state === 'completed') pending.resolve(jobOutcomeSchema.parse(ended.returnvalue));
      else pending.reject(failureFromText(ended.failedReason));
    } catch (error) {
      if (error instanceof Error && error.name === 'ZodError') pending.reject(error);
      // Else the broker does not answer just now: the next look-up asks again.
    }
  }

  #report(id: string, data: unknown): void {
    const pending = this.#pending.get(id);
    const report = workerReportSchema.safeParse(data);
    if (!pending || !report.success) return;
    const { worker, progress, refusal } = report.data;
    pending.worker = worker;
    if (refusal !== undefined) {
      pending.refused = true;
      pending.handlers.onRetry?.(`worker ${worker} cannot do it: ${refusal}`);
    } else if (progress) pending.handlers.onProgress?.(worker, progress);
    else pending.handlers.onStart?.(worker);
  }

  #returned(id: string, why: string): void {
    const pending = this.#pending.get(id);
    if (!pending) return;
    if (!pending.refused) pending.handlers.onRetry?.(why);
    pending.refused = false;
  }

  async #withdraw(id: string, reason: unknown): Promise<void> {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    pending?.reject(reason ?? new NesgdError('ABORTED', 'the job was withdrawn'));
    // One that a worker has already begun cannot be removed; it is done for the resume to find.
    await this.#queue.remove(id).catch(() => {});
  }
}

/** Content-addressed and readable: `<run>-evaluate-<hash>`; BullMQ allows no ":" in it. */
function jobIdOf(job: Job): string {
  return `${job.runId}-${job.kind}-${sha256OfJson(job).slice(0, 24)}`;
}
