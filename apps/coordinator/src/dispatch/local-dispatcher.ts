import { NesgdError } from '@nesgd/core/errors';
import type { Job } from '@nesgd/core/protocol';
import { DEFAULT_ATTEMPTS, type Dispatcher, type DispatchHandlers, type JobOutcome } from '@nesgd/core/run';
import { TrainerSlot } from '@nesgd/core/trainer';

export interface LocalDispatcherOptions {
  /** Trainers at work at the same time. */
  readonly workers: number;
  readonly cacheRoot: string;
  readonly attempts?: number;
  /** Snapshots of trainings: see ExecutorOptions. */
  readonly snapshotEpochs?: number | undefined;
  /** How long a trainer may show no progress. */
  readonly hangTimeoutMs?: number;
  readonly onOutput?: (line: string) => void;
  /** Something went otherwise than it should, without changing a result. */
  readonly onNotice?: (text: string) => void;
}

/** The workers without a broker: trainer child processes of this process, fed from a list in memory. */
export class LocalDispatcher implements Dispatcher {
  readonly #free: { name: string; slot: TrainerSlot }[];
  readonly #all: TrainerSlot[];
  readonly #waiting: (() => void)[] = [];
  readonly #attempts: number;
  readonly #onNotice: (text: string) => void;
  readonly #closed = new AbortController();

  constructor(options: LocalDispatcherOptions) {
    this.#attempts = options.attempts ?? DEFAULT_ATTEMPTS;
    this.#onNotice = options.onNotice ?? (() => {});
    const { workers: _, attempts: __, onNotice: ___, ...slotOptions } = options;
    this.#free = Array.from({ length: options.workers }, (_, i) => ({
      name: `local-${i + 1}`,
      slot: new TrainerSlot(slotOptions),
    }));
    this.#all = this.#free.map((place) => place.slot);
  }

  async dispatch(job: Job, handlers: DispatchHandlers = {}): Promise<JobOutcome> {
    const signal = handlers.signal ? AbortSignal.any([handlers.signal, this.#closed.signal]) : this.#closed.signal;
    for (let attempt = 1; ; attempt++) {
      const place = await this.#takePlace(signal);
      try {
        handlers.onStart?.(place.name);
        const { result, seconds, engine } = await place.slot.run(job, {
          onProgress: (progress) => handlers.onProgress?.(place.name, progress),
          onNotice: (text) => this.#onNotice(`${place.name}: ${text}`),
          signal,
        });
        return { result, provenance: { worker: place.name, engine, seconds } };
      } catch (error) {
        signal.throwIfAborted();
        const retryable = error instanceof NesgdError && error.retryable;
        if (!retryable || attempt >= this.#attempts) throw error;
        handlers.onRetry?.(error.message);
      } finally {
        this.#free.push(place);
        this.#waiting.shift()?.();
      }
    }
  }

  async close(): Promise<void> {
    this.#closed.abort(new NesgdError('ABORTED', 'the dispatcher was closed'));
    await Promise.all(this.#all.map((slot) => slot.close()));
  }

  /** Process ids of the trainers alive. */
  get trainerPids(): number[] {
    return this.#all.map((slot) => slot.pid).filter((pid) => pid !== undefined);
  }

  async #takePlace(signal: AbortSignal) {
    for (;;) {
      signal.throwIfAborted();
      const place = this.#free.shift();
      if (place) return place;
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }
}
