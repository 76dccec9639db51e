import type { EpochRecord } from '@nesgd/core/protocol';
import type { LiveStatus } from '@nesgd/core/view';
import { remainingTime } from '../display/remaining-time.js';
import { advance, initialState, type ViewState } from '../display/view-state.js';
import type { JobLabel, RunDescription, RunEvent } from '../run-events.js';

const LONGEST_LOG = 200;

type EventOf<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>;
type ActiveJob = LiveStatus['active'][number];
type Worker = LiveStatus['workers'][number];

/** Gathers from a run's events what `live.json` says. Times are milliseconds since 1970. */
export class LiveState {
  #view: ViewState;
  readonly #active = new Map<string, ActiveJob>();
  readonly #workers = new Map<string, Worker>();
  readonly #log: LiveStatus['log'] = [];
  #retried = 0;

  constructor(now: number) {
    this.#view = initialState(now);
  }

  watch(event: RunEvent, now: number): void {
    this.#view = advance(this.#view, event, now);
    switch (event.type) {
      case 'notice':
        this.#say('notice', event.text, now);
        break;
      case 'phase':
      case 'finished':
        this.#active.clear();
        break;
      case 'job-started':
        this.#job(event, now);
        break;
      case 'job-progress':
        this.#progress(event, now);
        break;
      case 'job-retried':
        this.#retry(event, now);
        break;
      case 'job-done':
        this.#done(event, now);
        break;
    }
  }

  /** Undefined before the run exists. */
  status(now: number): LiveStatus | undefined {
    const { run, phase } = this.#view;
    if (!run) return undefined;
    const active = [...this.#active.values()];
    const total = phase?.total ?? 0;
    const done = phase?.done ?? 0;
    return {
      version: 1,
      at: iso(now),
      circumstances: circumstancesOf(run),
      phase: phase ? { name: phase.phase.name, t: phase.phase.name === 'generation' ? phase.phase.t : null } : null,
      jobs: {
        total,
        done,
        active: active.length,
        waiting: Math.max(0, total - done - active.length),
        answered: phase?.answered ?? 0,
        retried: this.#retried,
      },
      remainingMs: remainingTime(this.#view, now) ?? null,
      active,
      workers: [...this.#workers.values()],
      log: [...this.#log],
    };
  }

  #progress(event: EventOf<'job-progress'>, now: number): void {
    const { epoch, epochs, trainLoss, accuracy, imagesPerSecond, memoryBytes = null } = event.progress;
    const record: EpochRecord = { epoch, trainLoss: Number.isFinite(trainLoss) ? trainLoss : null, accuracy };
    const job = this.#job(event, now);
    this.#active.set(event.job.id, {
      ...job,
      epochs,
      imagesPerSecond,
      curve: [...job.curve.filter((earlier) => earlier.epoch < epoch), record],
    });
    this.#worker(event.worker, now, { imagesPerSecond, memoryBytes });
  }

  /** The job as it stands with that worker: one that another began starts over. */
  #job({ job, worker }: { job: JobLabel; worker: string }, now: number): ActiveJob {
    const known = this.#active.get(job.id);
    const current =
      known?.worker === worker
        ? known
        : { ...job, worker, startedAt: iso(now), epochs: null, imagesPerSecond: null, curve: [] };
    this.#active.set(job.id, current);
    this.#worker(worker, now, { job: job.text });
    return current;
  }

  #retry({ job, reason }: EventOf<'job-retried'>, now: number): void {
    const worker = this.#active.get(job.id)?.worker;
    this.#active.delete(job.id);
    this.#retried += 1;
    if (worker) this.#worker(worker, now, { job: null, failures: (this.#workers.get(worker)?.failures ?? 0) + 1 });
    this.#say('retry', `${job.text}: ${reason}`, now);
  }

  #done({ job, worker }: EventOf<'job-done'>, now: number): void {
    this.#active.delete(job.id);
    this.#worker(worker, now, { job: null, jobsDone: (this.#workers.get(worker)?.jobsDone ?? 0) + 1 });
  }

  #worker(name: string, now: number, changes: Partial<Worker>): void {
    const known = this.#workers.get(name) ?? {
      name,
      job: null,
      jobsDone: 0,
      failures: 0,
      imagesPerSecond: null,
      memoryBytes: null,
      lastHeardAt: iso(now),
    };
    this.#workers.set(name, { ...known, ...changes, lastHeardAt: iso(now) });
  }

  #say(kind: 'notice' | 'retry', text: string, now: number): void {
    this.#log.push({ at: iso(now), kind, text });
    if (this.#log.length > LONGEST_LOG) this.#log.shift();
  }
}

function circumstancesOf(run: RunDescription): LiveStatus['circumstances'] {
  const { broker, engine, threads, workers, trainImages, validationImages, testImages } = run;
  return { broker, engine, threads, workers, trainImages, validationImages, testImages };
}

function iso(time: number): string {
  return new Date(time).toISOString();
}
