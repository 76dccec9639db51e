import { hostname } from 'node:os';
import { NesgdError } from '@nesgd/core/errors';
import type { CardPlace } from '@nesgd/core/machine';
import { processorKind } from '@nesgd/core/machine';
import { describeJob, type Job, type WorkerRecord } from '@nesgd/core/protocol';
import { DEFAULT_ATTEMPTS, type DispatchHandlers, type JobOutcome } from '@nesgd/core/run';
import { TrainerSlot } from '@nesgd/core/trainer';
import type { ControlledDispatcher } from './dispatch-control.js';
import { jobIdOf } from './outcome.js';

export interface LocalDispatcherOptions {
  /** Trainers at work at the same time. */
  readonly workers: number;
  /** Cards that they compute on, one each; fewer: the rest on the processor. */
  readonly places?: readonly CardPlace[];
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

interface Place {
  readonly name: string;
  readonly slot: TrainerSlot;
  /** What it is at; aborting `giveUp` has that begun anew when its run is no longer held. */
  job: { readonly job: Job; readonly giveUp: AbortController } | undefined;
}

/** The workers without a broker: trainer child processes of this process, fed from a list in memory. */
export class LocalDispatcher implements ControlledDispatcher {
  readonly #free: Place[];
  readonly #all: readonly Place[];
  /** In the order in which they are served. */
  #waiting: { readonly runId: string; readonly wake: () => void }[] = [];
  readonly #held = new Set<string>();
  readonly #attempts: number;
  readonly #onNotice: (text: string) => void;
  readonly #closed = new AbortController();
  readonly #since = new Date().toISOString();

  constructor(options: LocalDispatcherOptions) {
    this.#attempts = options.attempts ?? DEFAULT_ATTEMPTS;
    this.#onNotice = options.onNotice ?? (() => {});
    const { workers: _, attempts: __, onNotice: ___, places = [], ...slotOptions } = options;
    this.#all = Array.from({ length: options.workers }, (_, i) => ({
      name: `local-${i + 1}`,
      slot: new TrainerSlot({ ...slotOptions, place: places[i] }),
      job: undefined,
    }));
    this.#free = [...this.#all];
  }

  async dispatch(job: Job, handlers: DispatchHandlers = {}): Promise<JobOutcome> {
    const signal = handlers.signal ? AbortSignal.any([handlers.signal, this.#closed.signal]) : this.#closed.signal;
    for (let attempt = 1; ; attempt++) {
      const place = await this.#takePlace(job.runId, signal);
      const giveUp = new AbortController();
      place.job = { job, giveUp };
      try {
        handlers.onStart?.(place.name);
        const { result, seconds, ...means } = await place.slot.run(job, {
          onProgress: (progress) => handlers.onProgress?.(place.name, progress),
          onNotice: (text) => this.#onNotice(`${place.name}: ${text}`),
          signal: AbortSignal.any([signal, giveUp.signal]),
        });
        return { result, provenance: { worker: place.name, seconds, ...means } };
      } catch (error) {
        signal.throwIfAborted();
        if (giveUp.signal.aborted) {
          attempt -= 1; // Nobody's failure.
          handlers.onRetry?.('its run was paused');
          continue;
        }
        const retryable = error instanceof NesgdError && error.retryable;
        if (!retryable || attempt >= this.#attempts) throw error;
        handlers.onRetry?.(error.message);
      } finally {
        place.job = undefined;
        this.#free.push(place);
        this.#wakeNext();
      }
    }
  }

  async hold(runId: string, now = false): Promise<number> {
    this.#held.add(runId);
    const underWay = this.#all.flatMap(({ job }) => (job?.job.runId === runId ? [job] : []));
    if (!now) return underWay.length;
    for (const { giveUp } of underWay) giveUp.abort(new NesgdError('ABORTED', 'its run was paused'));
    return 0;
  }

  async release(runId: string): Promise<void> {
    this.#held.delete(runId);
    for (const _ of this.#free) this.#wakeNext();
  }

  /** Nobody else's jobs are here. */
  async prioritise(): Promise<void> {}

  async close(): Promise<void> {
    this.#closed.abort(new NesgdError('ABORTED', 'the dispatcher was closed'));
    await Promise.all(this.#all.map(({ slot }) => slot.close()));
  }

  /** As a broker would know them. */
  get workers(): WorkerRecord[] {
    return this.#all.map(({ name, job }) => ({
      name,
      host: hostname(),
      pid: process.pid,
      since: this.#since,
      state: job ? 'busy' : 'idle',
      processor: processorKind(),
      ofRun: true,
      job: job ? { id: jobIdOf(job.job), runId: job.job.runId, what: describeJob(job.job) } : null,
    }));
  }

  /** Process ids of the trainers alive. */
  get trainerPids(): number[] {
    return this.#all.map(({ slot }) => slot.pid).filter((pid) => pid !== undefined);
  }

  async #takePlace(runId: string, signal: AbortSignal): Promise<Place> {
    for (;;) {
      signal.throwIfAborted();
      const place = this.#held.has(runId) ? undefined : this.#free.shift();
      if (place) return place;
      await new Promise<void>((wake) => {
        const waiting = { runId, wake };
        this.#waiting.push(waiting);
        const leave = () => {
          this.#waiting = this.#waiting.filter((other) => other !== waiting);
          wake();
        };
        signal.addEventListener('abort', leave, { once: true });
      });
    }
  }

  #wakeNext(): void {
    const next = this.#waiting.find(({ runId }) => !this.#held.has(runId));
    this.#waiting = this.#waiting.filter((waiting) => waiting !== next);
    next?.wake();
  }
}
