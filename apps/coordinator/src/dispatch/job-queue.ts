import {
  type CancelReason,
  cancelKey,
  type Job,
  ORDER_LIFETIME_S,
  QUEUE_NAME,
  QUEUE_PREFIX,
} from '@nesgd/core/protocol';
import { queueTelemetry } from '@nesgd/core/tracing';
import { Queue, type Job as QueueJob } from 'bullmq';
import type { Redis } from 'ioredis';

export interface JobQueueOptions {
  /** A connected client; closed by whoever made it. */
  readonly connection: Redis;
  /** Tries of a job whose trainer failed under it. */
  readonly attempts: number;
}

const DAY_SECONDS = 24 * 3600;
/** Where a job is that nobody has begun. */
const WAITING: ReadonlySet<string> = new Set(['waiting', 'prioritized', 'delayed', 'paused']);

export const isWaiting = (state: string): boolean => WAITING.has(state);

/** The broker's queue: sends jobs and takes them back. Those of a held run stay off it. */
export class JobQueue {
  readonly #queue: Queue;
  readonly #held = new Set<string>();

  constructor(private readonly options: JobQueueOptions) {
    const { connection } = options;
    this.#queue = new Queue(QUEUE_NAME, { connection, prefix: QUEUE_PREFIX, ...queueTelemetry() });
    // Without a listener a lost connection would end the process; it reconnects by itself.
    this.#queue.on('error', () => {});
  }

  async ready(): Promise<void> {
    await this.#queue.waitUntilReady();
  }

  async close(): Promise<void> {
    await this.#queue.close();
  }

  /** Nothing of the run is sent until `release`; what is on the queue already, see `withhold`. */
  hold(runId: string): void {
    this.#held.add(runId);
  }

  release(runId: string): void {
    this.#held.delete(runId);
  }

  isHeld(runId: string): boolean {
    return this.#held.has(runId);
  }

  /**
   * A job of a held run is not sent. One that stands there already, for an earlier coordinator of its run, is not sent
   * twice; one that failed for that deserves a new chance.
   * @returns what stood there.
   */
  async send(id: string, job: Job, priority: number): Promise<QueueJob | undefined> {
    if (this.isHeld(job.runId)) return undefined;
    const [existing] = await Promise.all([this.find(id), this.options.connection.del(cancelKey(id))]);
    if (existing && (await existing.isFailed())) await existing.remove();
    // Adding a job whose id exists does nothing.
    await this.#queue.add(job.kind, job, {
      jobId: id,
      priority,
      attempts: this.options.attempts,
      backoff: { type: 'fixed', delay: 500 },
      removeOnComplete: { age: DAY_SECONDS },
      removeOnFail: { age: DAY_SECONDS },
    });
    if (!this.isHeld(job.runId)) return existing;
    await this.withhold(id); // Held while it was being sent.
    return undefined;
  }

  async find(id: string): Promise<QueueJob | undefined> {
    return (await this.#queue.getJob(id)) as QueueJob | undefined;
  }

  async stateOf(id: string): Promise<string> {
    return this.#queue.getJobState(id);
  }

  async changePriority(id: string, priority: number): Promise<void> {
    const queued = await this.find(id);
    // It may have ended in between, and then needs none.
    await queued?.changePriority({ priority }).catch(() => {});
  }

  /** The queue keeps done jobs for a day, for a coordinator that was killed before it read the result. */
  async forgetDone(id: string): Promise<void> {
    const done = await this.find(id);
    if (done && (await done.isCompleted())) await done.remove();
  }

  /** Takes a job off the queue where nobody has begun it. @returns where it was. */
  async withhold(id: string): Promise<string> {
    const state = await this.stateOf(id);
    if (isWaiting(state) && !(await this.remove(id))) return 'active'; // Begun in between.
    return state;
  }

  /** @returns whether it is gone: one that a worker has begun cannot be removed. */
  async remove(id: string): Promise<boolean> {
    return (await this.#queue.remove(id)) === 1;
  }

  /** Takes a job off the queue; where a worker has begun it, that worker is told to stop. */
  async giveUp(id: string, why: CancelReason): Promise<void> {
    if (!(await this.remove(id))) await this.cancel(id, why);
  }

  /** Tells the worker that has begun it to stop. */
  async cancel(id: string, why: CancelReason): Promise<void> {
    await this.options.connection.set(cancelKey(id), why, 'EX', ORDER_LIFETIME_S);
  }
}
