import { NesgdError } from '../errors.js';
import { type CardPlace, computedOn, placeEnvironment } from '../machine/index.js';
import { type Job, type Provenance, type Runtime, sameRuntime } from '../protocol/index.js';
import { inSpan } from '../tracing/index.js';
import { type Done, type JobHandlers, TrainerProcess } from './trainer-process.js';

export interface TrainerSlotOptions {
  readonly cacheRoot: string;
  /** See TrainerOptions. */
  readonly place?: CardPlace | undefined;
  /** See TrainerOptions. */
  readonly snapshotEpochs?: number | undefined;
  /** See TrainerOptions. */
  readonly hangTimeoutMs?: number;
  readonly onOutput?: (line: string) => void;
}

/**
 * A place where one trainer at a time lives. It starts one when a job comes, keeps it warm for the next job, and
 * replaces it when it has died or when a job asks for another runtime.
 */
export class TrainerSlot {
  #trainer: TrainerProcess | undefined;

  constructor(private readonly options: TrainerSlotOptions) {}

  async run(job: Job, handlers: JobHandlers = {}): Promise<Done & Pick<Provenance, 'engine' | 'processor'>> {
    // Until the trainer is there, too: starting one takes a second, as a trace should show.
    return inSpan('trainer', { 'nesgd.run': job.runId, 'nesgd.job': job.kind }, async () => {
      const trainer = await this.#trainerFor(job.runtime);
      const done = await trainer.run(job, handlers).catch(async (error) => {
        // What the step that failed held stays held in that process.
        if (error instanceof NesgdError && error.code === 'OUT_OF_MEMORY') await this.close();
        throw error;
      });
      const { place } = this.options;
      const processor = computedOn(job.runtime, { ...process.env, ...(place && placeEnvironment(place)) });
      return { ...done, engine: trainer.engine, ...(processor !== undefined && { processor }) };
    });
  }

  /** The trainer's process id, for tests and logs; undefined while there is none. */
  get pid(): number | undefined {
    return this.#trainer?.alive ? this.#trainer.pid : undefined;
  }

  /** See TrainerProcess.ping; undefined while there is no trainer. */
  ping(): number | undefined {
    return this.#trainer?.alive ? this.#trainer.ping() : undefined;
  }

  async close(): Promise<void> {
    await this.#trainer?.stop();
    this.#trainer = undefined;
  }

  async #trainerFor(runtime: Runtime): Promise<TrainerProcess> {
    const current = this.#trainer;
    if (current?.alive && sameRuntime(current.options.runtime, runtime)) return current;
    await this.close();
    this.#trainer = await TrainerProcess.start({ ...this.options, runtime });
    return this.#trainer;
  }
}
