import { NesgdError } from '@nesgd/core/errors';
import {
  CANCELLED,
  failureFromText,
  type Job,
  QUEUE_NAME,
  QUEUE_PREFIX,
  workerReportSchema,
} from '@nesgd/core/protocol';
import { DEFAULT_ATTEMPTS, type DispatchHandlers, type JobOutcome } from '@nesgd/core/run';
import { QueueEvents } from 'bullmq';
import type { Redis } from 'ioredis';
import { HIGHEST_PRIORITY } from '../control/orders.js';
import { DEFAULT_DEADLINE, Deadline, type DeadlineOptions } from './deadline.js';
import type { ControlledDispatcher } from './dispatch-control.js';
import { isWaiting, JobQueue } from './job-queue.js';
import { LookUps } from './look-ups.js';
import { jobIdOf, outcomeOf } from './outcome.js';
import { again, idsOf, type PendingJob, pendingJob } from './pending-job.js';

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

/** Behind all others: a second try is for workers who have nothing else to do. */
const LAST = 1_000_000;
/** Jobs that the broker is asked about at once. */
const AT_ONCE = 200;

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
  readonly #queue: JobQueue;
  readonly #events: QueueEvents;
  /** By the id on the queue: a job that stands there twice has two entries. */
  readonly #pending = new Map<string, PendingJob>();
  readonly #lookUps = new LookUps((id) => this.#lookUp(id));
  readonly #attempts: number;
  /** By run. */
  readonly #priorities = new Map<string, number>();
  readonly #deadline: Deadline;
  readonly #reconcile: NodeJS.Timeout;
  readonly #onReconnect = () => this.#lookUpAll();

  private constructor(private readonly options: QueueDispatcherOptions) {
    const { connection, attempts = DEFAULT_ATTEMPTS, reconcileIntervalMs = 5_000 } = options;
    this.#attempts = attempts;
    this.#deadline = new Deadline(options.deadline ?? DEFAULT_DEADLINE);
    this.#queue = new JobQueue({ connection, attempts });
    this.#events = new QueueEvents(QUEUE_NAME, { connection, prefix: QUEUE_PREFIX });
    this.#listen();
    // A broker that was away may have lost its data.
    connection.on('ready', this.#onReconnect);
    this.#reconcile = setInterval(() => this.#tick(), reconcileIntervalMs).unref();
  }

  static async connect(options: QueueDispatcherOptions): Promise<QueueDispatcher> {
    const dispatcher = new QueueDispatcher(options);
    await Promise.all([dispatcher.#queue.ready(), dispatcher.#events.waitUntilReady()]);
    return dispatcher;
  }

  async dispatch(job: Job, handlers: DispatchHandlers = {}): Promise<JobOutcome> {
    handlers.signal?.throwIfAborted();
    const id = jobIdOf(job);
    const underWay = this.#pending.get(id);
    if (underWay) return underWay.outcome; // The same question twice (the winner is alpha) has one answer.
    const pending = pendingJob(id, job, handlers);
    this.#pending.set(id, pending);
    const withdraw = () => this.#withdraw(id, handlers.signal?.reason);
    handlers.signal?.addEventListener('abort', withdraw, { once: true });
    try {
      if (handlers.anew) await this.#queue.forgetDone(id);
      pending.answerable = true;
      await this.#send(id, pending);
      return await pending.outcome;
    } finally {
      handlers.signal?.removeEventListener('abort', withdraw);
      this.#settled(id);
    }
  }

  async hold(runId: string, now = false): Promise<number> {
    this.#queue.hold(runId);
    let underWay = 0;
    await this.#forEachOf(runId, async (id) => {
      if ((await this.#queue.withhold(id)) !== 'active') return;
      if (now) await this.#queue.cancel(id, 'stopped');
      else underWay += 1;
    });
    return underWay;
  }

  async release(runId: string): Promise<void> {
    this.#queue.release(runId);
    await this.#forEachOf(runId, (id, pending) => this.#send(id, pending));
  }

  async prioritise(runId: string, priority: number): Promise<void> {
    this.#priorities.set(runId, priority);
    await this.#forEachOf(runId, async (id, pending) => {
      if (id !== pending.id) return; // The second try of a late job stays behind all others.
      await this.#queue.changePriority(id, this.#priorityOf(id, pending));
    });
  }

  async close(): Promise<void> {
    clearInterval(this.#reconcile);
    this.options.connection.off('ready', this.#onReconnect);
    const reason = new NesgdError('ABORTED', 'the dispatcher was closed');
    await Promise.all([...this.#pending.values()].map(({ id }) => this.#withdraw(id, reason)));
    await Promise.allSettled([this.#queue.close(), this.#events.close()]);
  }

  #listen(): void {
    const events = this.#events;
    // Without a listener a lost connection would end the process; it reconnects by itself.
    events.on('error', () => {});
    events.on('active', ({ jobId }) => this.#begun(jobId));
    events.on('completed', ({ jobId }) => this.#lookUps.of(jobId));
    events.on('failed', ({ jobId }) => this.#lookUps.of(jobId));
    events.on('progress', ({ jobId, data }) => this.#report(jobId, data));
    events.on('stalled', ({ jobId }) => {
      const pending = this.#pending.get(jobId);
      pending?.handlers.onRetry?.(`worker ${pending.worker || '?'} went silent`);
    });
    events.on('waiting', ({ jobId, prev }) => {
      if (prev === 'active') this.#returned(jobId, 'its worker gave it back');
    });
    events.on('delayed', ({ jobId }) => this.#returned(jobId, 'its trainer failed'));
  }

  /** In the order in which they were asked for, which is that in which they are begun. */
  async #forEachOf(runId: string, change: (id: string, pending: PendingJob) => Promise<void>): Promise<void> {
    const ofRun = [...this.#pending].filter(([, { job }]) => job.runId === runId);
    for (let i = 0; i < ofRun.length; i += AT_ONCE)
      await Promise.all(ofRun.slice(i, i + AT_ONCE).map(([id, pending]) => change(id, pending)));
  }

  /** A job of a held run is sent when that is released. */
  async #send(id: string, pending: PendingJob): Promise<void> {
    if (this.#pending.get(id) !== pending) return; // Withdrawn in between.
    const existing = await this.#queue.send(id, pending.job, this.#priorityOf(id, pending));
    if (!existing) return;
    this.#report(id, existing.progress);
    void this.#lookUps.of(id); // It may have been done for an earlier coordinator of this run.
  }

  async #lookUp(id: string): Promise<void> {
    const pending = this.#pending.get(id);
    if (!pending?.answerable) return;
    try {
      const state = await this.#queue.stateOf(id);
      if (state === 'unknown') return await this.#send(id, pending);
      if (isWaiting(state) && this.#queue.isHeld(pending.job.runId)) await this.#queue.withhold(id);
      if (state !== 'completed' && state !== 'failed') return;
      // Read after its state: one that was read before may have ended in between, and have no result in it.
      const ended = await this.#queue.find(id);
      if (!ended) return; // Gone in between: the next look-up sends it again.
      if (state === 'completed') await this.#answered(id, pending, ended.returnvalue);
      else await this.#failed(id, pending, failureFromText(ended.failedReason));
    } catch {
      // The broker does not answer just now: the next look-up asks again.
    }
  }

  #lookUpAll(): void {
    for (const id of this.#pending.keys()) void this.#lookUps.of(id);
  }

  async #answered(id: string, pending: PendingJob, value: unknown): Promise<void> {
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
    await this.#send(id, pending);
  }

  async #failed(id: string, pending: PendingJob, error: NesgdError): Promise<void> {
    if (error.code === CANCELLED) {
      if (this.#queue.isHeld(pending.job.runId) && pending.startedAt !== undefined) {
        pending.startedAt = undefined;
        pending.handlers.onRetry?.('its run was paused');
      }
      // Given up by an earlier coordinator of this run, and wanted again.
      return this.#send(id, pending);
    }
    if (id === pending.id) pending.reject(error);
    else this.#pending.delete(id); // The first try may still do better.
  }

  #tick(): void {
    for (const [id, pending] of this.#pending) {
      if (id === pending.id && this.#isLate(pending)) this.#sendAgain(pending);
    }
    this.#lookUps.sweep([...this.#pending.keys()]);
  }

  #isLate({ job, twice, startedAt }: PendingJob): boolean {
    if (twice || startedAt === undefined || this.#queue.isHeld(job.runId)) return false;
    return performance.now() - startedAt >= this.#deadline.of(job.kind);
  }

  #sendAgain(pending: PendingJob): void {
    const seconds = (performance.now() - pending.startedAt!) / 1000;
    pending.twice = true;
    pending.handlers.onRetry?.(`it takes ${seconds.toFixed(0)} s on ${pending.worker}; another worker may try as well`);
    const second = again(pending.id);
    this.#pending.set(second, pending);
    this.#send(second, pending).catch(() => {}); // The next look-up finds it missing, and sends it.
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
    if (this.#queue.isHeld(pending.job.runId)) void this.#lookUps.of(id); // Which takes it off the queue again.
    if (!pending.refused) pending.handlers.onRetry?.(why);
    pending.refused = false;
  }

  #priorityOf(id: string, pending: PendingJob): number {
    if (id !== pending.id) return LAST;
    const priority = this.#priorities.get(pending.job.runId) ?? this.options.priority ?? 0;
    return 1 + HIGHEST_PRIORITY - priority; // BullMQ's priorities begin at 1, the first to go.
  }

  #settled(id: string): void {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    if (!pending?.twice) return;
    this.#pending.delete(again(id));
    // One of the two is done, if either is; the other's worker may stop.
    void Promise.all(idsOf(pending).map((each) => this.#queue.giveUp(each, 'done'))).catch(() => {});
  }

  async #withdraw(id: string, reason: unknown): Promise<void> {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    pending?.reject(reason ?? new NesgdError('ABORTED', 'the job was withdrawn'));
    for (const each of pending ? idsOf(pending) : [id]) {
      this.#pending.delete(each);
      await this.#queue.giveUp(each, 'stopped').catch(() => {});
    }
  }
}
