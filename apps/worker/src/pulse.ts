import { hostname } from 'node:os';
import { processorKind } from '@nesgd/core/machine';
import {
  type CancelReason,
  cancelKey,
  drainKey,
  WORKERS_KEY,
  type WorkerRecord,
  workerKey,
} from '@nesgd/core/protocol';
import type { Redis } from 'ioredis';

export interface PulseOptions {
  readonly connection: Redis;
  readonly name: string;
  readonly card: WorkerRecord['card'] | undefined;
  readonly intervalMs: number;
  readonly state: () => Pick<WorkerRecord, 'state' | 'job' | 'ofRun'>;
  /** The worker is told to finish its job and end. */
  readonly onDrain: () => void;
  /** The job's run gave it up. */
  readonly onCancel: (jobId: string, why: CancelReason) => void;
}

/** A worker is gone when it has missed so many beats. */
const BEATS_MISSED = 5;

/**
 * Writes on the broker, every few seconds, that this worker is there and what it does, and reads what it is told. One
 * round trip a beat; a beat that gets no answer is waited for, so a broker that is away is not flooded when it is back.
 */
export class Pulse {
  readonly #since = new Date().toISOString();
  readonly #processor = processorKind();
  readonly #timer: NodeJS.Timeout;
  #answeredAt = performance.now();
  #beating: Promise<void> | undefined;

  constructor(private readonly options: PulseOptions) {
    this.#timer = setInterval(() => this.#beat(), options.intervalMs);
    this.#beat();
  }

  /** How long the broker's last answer is ago, in milliseconds; before the first one, since the start. */
  get silentMs(): number {
    return performance.now() - this.#answeredAt;
  }

  /** Takes the worker's name off the broker, where that answers. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    const { connection, name } = this.options;
    if (connection.status !== 'ready') return;
    await this.#beating;
    const farewell = connection.pipeline().del(workerKey(name), drainKey(name)).srem(WORKERS_KEY, name);
    await farewell.exec().catch(() => {});
  }

  #beat(): void {
    this.#beating ??= this.#exchange()
      .catch(() => {}) // The connection's own error handler has told.
      .finally(() => {
        this.#beating = undefined;
      });
  }

  async #exchange(): Promise<void> {
    const { connection, name, card, intervalMs, state, onDrain, onCancel } = this.options;
    const now = state();
    const record: WorkerRecord = {
      name,
      host: hostname(),
      pid: process.pid,
      since: this.#since,
      processor: this.#processor,
      ...(card && { card }),
      ...now,
    };
    const answers = await connection
      .pipeline()
      .set(workerKey(name), JSON.stringify(record), 'PX', BEATS_MISSED * intervalMs)
      .sadd(WORKERS_KEY, name)
      .exists(drainKey(name))
      .get(cancelKey(now.job?.id ?? ''))
      .exec();
    this.#answeredAt = performance.now();
    if (answers?.[2]?.[1] === 1) onDrain();
    const cancelled = answers?.[3]?.[1];
    if (now.job && typeof cancelled === 'string') onCancel(now.job.id, cancelled === 'done' ? 'done' : 'stopped');
  }
}
