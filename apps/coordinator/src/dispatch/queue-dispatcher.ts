import { NesgdError } from '@nesgd/core/errors';
import {
  CANCELLED,
  type CancelReason,
  cancelKey,
  failureFromText,
  type Job,
  ORDER_LIFETIME_S,
  QUEUE_NAME,
  QUEUE_PREFIX,
  workerReportSchema,
} from '@nesgd/core/protocol';
import { DEFAULT_ATTEMPTS, type DispatchHandlers, type JobOutcome } from '@nesgd/core/run';
import { queueTelemetry } from '@nesgd/core/tracing';
import { Queue, QueueEvents, type Job as QueueJob } from 'bullmq';
import type { Redis } from 'ioredis';
import { HIGHEST_PRIORITY } from '../control/orders.js';
import { DEFAULT_DEADLINE, Deadline, type DeadlineOptions } from './deadline.js';
import type { ControlledDispatcher } from './dispatch-control.js';
import { jobIdOf, outcomeOf } from './outcome.js';

export interface QueueDispatcherOptions {
  /** A connected client; closed by whoever made it. */
  readonly connection: Redis;
  /** Tries of a job whose trainer failed under it; a dead worker does not use one up. */
  readonly attempts?: number;
  /** Of this run's jobs among those of others on the broker, -100 to 100; the higher goes first. */
  readonly priority?: number;
  /** How often pending jobs are looked up, should an event have been lost. */
  readonly reconcileIntervalMs?: number;
  /** When a job is late, so that another worker gets it as well. */
  readonly deadline?: DeadlineOptions;
}

interface Pending {
  readonly id: string;
  readonly job: Job;
  readonly handlers: DispatchHandlers;
  readonly outcome: Promise<JobOutcome>;
  readonly resolve: (outcome: JobOutcome) => void;
  readonly reject: (error: unknown) => void;
  worker: string;
  /** Of the attempt under way, by `performance.now`; undefined while it waits. */
  startedAt: number | undefined;
  /** Its worker has just said why it cannot do the job; that it is back in the queue is no further news. */
  refused: boolean;
  /** It was late, and stands on the queue a second time. */
  twice: boolean;
  /** Answers that were none. */
  wrongAnswers: number;
}

const DAY_SECONDS = 24 * 3600;
/** Behind all others: a second try is for workers who have nothing else to do. */
const LAST = 1_000_000;
/** Where a job is that nobody has begun. */
const WAITING: ReadonlySet<string> = new Set(['waiting', 'prioritized', 'delayed', 'paused']);
/** Jobs that the broker is asked about at once. */
const AT_ONCE = 200;
/** A sweep over all pending jobs takes at most so many ticks. */
const TICKS_A_SWEEP = 6;
const LEAST_LOOKED_UP = 200;

/**
 * Sends jobs to whichever workers listen on the broker.
 *
 * A job's id is a hash of its content, which makes dispatching idempotent: a coordinator that was killed and resumed
 * finds the jobs it had sent, done or under way, instead of having them done again.
 *
 * Events bring news fast but can be lost (a reconnect, a broker restart), so the queue itself is asked now and then;
 * a job that the broker has forgotten is sent again.
 *
 * A job that takes far longer than its like is put on the queue a second time. Both give the same bits; the first counts.
 */
export class QueueDispatcher implements ControlledDispatcher {
  readonly #queue: Queue;
  readonly #events: QueueEvents;
  /** By the id on the queue: a job that stands there twice has two entries. */
  readonly #pending = new Map<string, Pending>();
  readonly #lookUps = new Map<string, 'once' | 'again'>();
  readonly #attempts: number;
  readonly #held = new Set<string>();
  /** By run. */
  readonly #priorities = new Map<string, number>();
  readonly #deadline: Deadline;
  readonly #reconcile: NodeJS.Timeout;
  readonly #onReconnect = () => this.#lookUpAll();
  #sweepAt = 0;

  private constructor(private readonly options: QueueDispatcherOptions) {
    this.#attempts = options.attempts ?? DEFAULT_ATTEMPTS;
    this.#deadline = new Deadline(options.deadline ?? DEFAULT_DEADLINE);
    this.#queue = new Queue(QUEUE_NAME, {
      connection: options.connection,
      prefix: QUEUE_PREFIX,
      ...queueTelemetry(),
    });
    this.#events = new QueueEvents(QUEUE_NAME, { connection: options.connection, prefix: QUEUE_PREFIX });
    // Without a listener a lost connection would end the process; both reconnect by themselves.
    this.#queue.on('error', () => {});
    this.#events.on('error', () => {});
    this.#events.on('active', ({ jobId }) => this.#begun(jobId));
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
    // A broker that was away may have lost its data.
    options.connection.on('ready', this.#onReconnect);
    this.#reconcile = setInterval(() => this.#tick(), options.reconcileIntervalMs ?? 5_000).unref();
  }

  static async connect(options: QueueDispatcherOptions): Promise<QueueDispatcher> {
    const dispatcher = new QueueDispatcher(options);
    await Promise.all([dispatcher.#queue.waitUntilReady(), dispatcher.#events.waitUntilReady()]);
    return dispatcher;
  }

  async dispatch(job: Job, handlers: DispatchHandlers = {}): Promise<JobOutcome> {
    handlers.signal?.throwIfAborted();
    const id = jobIdOf(job);
    const underWay = this.#pending.get(id);
    if (underWay) return underWay.outcome; // The same question twice (the winner is alpha) has one answer.
    let settle: Pick<Pending, 'resolve' | 'reject'> | undefined;
    const outcome = new Promise<JobOutcome>((resolve, reject) => {
      settle = { resolve, reject };
    });
    const state = { worker: '', startedAt: undefined, refused: false, twice: false, wrongAnswers: 0 };
    this.#pending.set(id, { id, job, handlers, outcome, ...settle!, ...state });
    outcome.catch(() => {}); // It may be withdrawn while it is being sent, before anybody awaits it.
    const withdraw = () => this.#withdraw(id, handlers.signal?.reason);
    handlers.signal?.addEventListener('abort', withdraw, { once: true });
    try {
      if (handlers.anew) await this.#forgetDone(id);
      await this.#send(id, job, this.#priorityOf(id, this.#pending.get(id)!));
      return await outcome;
    } finally {
      handlers.signal?.removeEventListener('abort', withdraw);
      const pending = this.#pending.get(id);
      this.#pending.delete(id);
      if (pending?.twice) {
        this.#pending.delete(again(id));
        // One of the two is done, if either is; the other's worker may stop.
        void Promise.all([this.#giveUp(id, 'done'), this.#giveUp(again(id), 'done')]).catch(() => {});
      }
    }
  }

  async hold(runId: string, now = false): Promise<number> {
    this.#held.add(runId);
    let underWay = 0;
    await this.#forEachOf(runId, async (id) => {
      if ((await this.#withhold(id)) !== 'active') return;
      if (now) await this.#cancel(id, 'stopped');
      else underWay += 1;
    });
    return underWay;
  }

  async release(runId: string): Promise<void> {
    this.#held.delete(runId);
    await this.#forEachOf(runId, (id, pending) => this.#send(id, pending.job, this.#priorityOf(id, pending)));
  }

  async prioritise(runId: string, priority: number): Promise<void> {
    this.#priorities.set(runId, priority);
    await this.#forEachOf(runId, async (id, pending) => {
      if (id !== pending.id) return; // The second try of a late job stays behind all others.
      const queued = (await this.#queue.getJob(id)) as QueueJob | undefined;
      // It may have ended in between, and then needs none.
      await queued?.changePriority({ priority: this.#priorityOf(id, pending) }).catch(() => {});
    });
  }

  async close(): Promise<void> {
    clearInterval(this.#reconcile);
    this.options.connection.off('ready', this.#onReconnect);
    const reason = new NesgdError('ABORTED', 'the dispatcher was closed');
    await Promise.all([...this.#pending.values()].map(({ id }) => this.#withdraw(id, reason)));
    await Promise.allSettled([this.#queue.close(), this.#events.close()]);
  }

  /** In the order in which they were asked for, which is that in which they are begun. */
  async #forEachOf(runId: string, change: (id: string, pending: Pending) => Promise<void>): Promise<void> {
    const ofRun = [...this.#pending].filter(([, { job }]) => job.runId === runId);
    for (let i = 0; i < ofRun.length; i += AT_ONCE)
      await Promise.all(ofRun.slice(i, i + AT_ONCE).map(([id, pending]) => change(id, pending)));
  }

  /** Takes a job of a held run off the queue, where nobody has begun it. @returns where it was. */
  async #withhold(id: string): Promise<string> {
    const state = await this.#queue.getJobState(id);
    if (WAITING.has(state) && (await this.#queue.remove(id)) === 0) return 'active'; // Begun in between.
    return state;
  }

  /** The queue keeps done jobs for a day, for a coordinator that was killed before it read the result. */
  async #forgetDone(id: string): Promise<void> {
    const done = (await this.#queue.getJob(id)) as QueueJob | undefined;
    if (done && (await done.isCompleted())) await done.remove();
  }

  /** A job of a held run is sent when that is released. */
  async #send(id: string, job: Job, priority: number): Promise<void> {
    if (this.#held.has(job.runId)) return;
    const [existing] = await Promise.all([
      this.#queue.getJob(id) as Promise<QueueJob | undefined>,
      this.options.connection.del(cancelKey(id)),
    ]);
    // Adding a job whose id exists does nothing; one that failed for an earlier coordinator deserves a new chance.
    if (existing && (await existing.isFailed())) await existing.remove();
    await this.#queue.add(job.kind, job, {
      jobId: id,
      priority,
      attempts: this.#attempts,
      backoff: { type: 'fixed', delay: 500 },
      removeOnComplete: { age: DAY_SECONDS },
      removeOnFail: { age: DAY_SECONDS },
    });
    if (this.#held.has(job.runId)) {
      await this.#withhold(id); // Held while it was being sent.
      return;
    }
    if (!existing) return;
    this.#report(id, existing.progress);
    void this.#lookUp(id); // It may have been done for an earlier coordinator of this run.
  }

  /** One at a time for each job, or one answer would be taken twice; news in between is looked at afterwards. */
  async #lookUp(id: string): Promise<void> {
    if (this.#lookUps.has(id)) {
      this.#lookUps.set(id, 'again');
      return;
    }
    do {
      this.#lookUps.set(id, 'once');
      await this.#lookUpOnce(id);
    } while (this.#lookUps.get(id) === 'again');
    this.#lookUps.delete(id);
  }

  async #lookUpOnce(id: string): Promise<void> {
    const pending = this.#pending.get(id);
    if (!pending) return;
    try {
      const state = await this.#queue.getJobState(id);
      if (state === 'unknown') return await this.#send(id, pending.job, this.#priorityOf(id, pending));
      if (WAITING.has(state) && this.#held.has(pending.job.runId)) await this.#withhold(id);
      if (state !== 'completed' && state !== 'failed') return;
      // Read after its state: one that was read before may have ended in between, and have no result in it.
      const ended = (await this.#queue.getJob(id)) as QueueJob | undefined;
      if (!ended) return; // Gone in between: the next look-up sends it again.
      if (state === 'completed') await this.#answered(id, pending, ended.returnvalue);
      else await this.#failed(id, pending, failureFromText(ended.failedReason));
    } catch {
      // The broker does not answer just now: the next look-up asks again.
    }
  }

  async #answered(id: string, pending: Pending, value: unknown): Promise<void> {
    const outcome = outcomeOf(pending.job, value);
    if (!('wrong' in outcome)) {
      if (pending.startedAt !== undefined)
        this.#deadline.record(pending.job.kind, performance.now() - pending.startedAt);
      return pending.resolve(outcome);
    }
    pending.wrongAnswers += 1;
    const fault = `a worker's answer is no result of its job (${outcome.wrong})`;
    if (pending.wrongAnswers >= this.#attempts) return pending.reject(new NesgdError('PROTOCOL', fault));
    pending.handlers.onRetry?.(fault);
    await this.#queue.remove(id);
    await this.#send(id, pending.job, this.#priorityOf(id, pending));
  }

  async #failed(id: string, pending: Pending, error: NesgdError): Promise<void> {
    if (error.code === CANCELLED) {
      if (this.#held.has(pending.job.runId) && pending.startedAt !== undefined) {
        pending.startedAt = undefined;
        pending.handlers.onRetry?.('its run was paused');
      }
      // Given up by an earlier coordinator of this run, and wanted again.
      return this.#send(id, pending.job, this.#priorityOf(id, pending));
    }
    if (id === pending.id) pending.reject(error);
    else this.#pending.delete(id); // The first try may still do better.
  }

  #tick(): void {
    for (const [id, pending] of this.#pending) {
      if (id !== pending.id || pending.twice || pending.startedAt === undefined) continue;
      if (this.#held.has(pending.job.runId)) continue;
      const seconds = (performance.now() - pending.startedAt) / 1000;
      if (1000 * seconds < this.#deadline.of(pending.job.kind)) continue;
      pending.twice = true;
      pending.handlers.onRetry?.(
        `it takes ${seconds.toFixed(0)} s on ${pending.worker}; another worker may try as well`,
      );
      this.#pending.set(again(id), pending);
      this.#send(again(id), pending.job, LAST).catch(() => {}); // The next look-up finds it missing, and sends it.
    }
    const ids = [...this.#pending.keys()];
    const count = Math.min(ids.length, Math.max(LEAST_LOOKED_UP, Math.ceil(ids.length / TICKS_A_SWEEP)));
    for (let i = 0; i < count; i++) void this.#lookUp(ids[(this.#sweepAt + i) % ids.length]!);
    this.#sweepAt = ids.length === 0 ? 0 : (this.#sweepAt + count) % ids.length;
  }

  #lookUpAll(): void {
    for (const id of this.#pending.keys()) void this.#lookUp(id);
  }

  #begun(id: string): void {
    const pending = this.#pending.get(id);
    if (pending && id === pending.id) pending.startedAt = performance.now();
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
    if (id === pending.id) pending.startedAt = undefined;
    if (this.#held.has(pending.job.runId)) void this.#lookUp(id); // Which takes it off the queue again.
    if (!pending.refused) pending.handlers.onRetry?.(why);
    pending.refused = false;
  }

  #priorityOf(id: string, pending: Pending): number {
    if (id !== pending.id) return LAST;
    const priority = this.#priorities.get(pending.job.runId) ?? this.options.priority ?? 0;
    return 1 + HIGHEST_PRIORITY - priority; // BullMQ's priorities begin at 1, the first to go.
  }

  async #withdraw(id: string, reason: unknown): Promise<void> {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    pending?.reject(reason ?? new NesgdError('ABORTED', 'the job was withdrawn'));
    const ids = pending?.twice ? [id, again(id)] : [id];
    for (const each of ids) {
      this.#pending.delete(each);
      await this.#giveUp(each, 'stopped').catch(() => {});
    }
  }

  /** Takes a job off the queue; one that a worker has begun cannot be removed, so that worker is told to stop. */
  async #giveUp(id: string, why: CancelReason): Promise<void> {
    if ((await this.#queue.remove(id)) === 1) return;
    await this.#cancel(id, why);
  }

  async #cancel(id: string, why: CancelReason): Promise<void> {
    await this.options.connection.set(cancelKey(id), why, 'EX', ORDER_LIFETIME_S);
  }
}

/** The second try of a job, beside the first. */
const again = (id: string): string => `${id}-again`;
