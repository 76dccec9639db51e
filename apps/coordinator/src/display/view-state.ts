import type { Progress } from '@nesgd/core/protocol';
import type { JobLabel, Phase, RunDescription, RunEvent } from '../run-events.js';

/** What a view shows: everything that the events so far have said. Times in milliseconds of one clock. */
export interface ViewState {
  readonly startedAt: number;
  readonly preparing?: { readonly what: string; readonly fraction?: number };
  readonly run?: RunDescription;
  readonly phase?: OpenPhase;
  readonly alpha?: AlphaView;
  /** The highest accuracy of an individual so far. */
  readonly best?: { readonly accuracy: number; readonly mask: string };
  readonly nabla?: number;
  /** What each known worker does; undefined: it waits. */
  readonly workers: ReadonlyMap<string, ActiveJob | undefined>;
  /** Individuals retrained while we watched, for the estimate of what remains. */
  readonly retrained: { readonly count: number; readonly seconds: number };
  /** Of one worker, as last reported. */
  readonly imagesPerSecond?: number;
  readonly finished: boolean;
}

export interface OpenPhase {
  readonly phase: Phase;
  /** Jobs of this phase, and those of them done. */
  readonly total: number;
  readonly done: number;
  /** Individuals that needed no job. */
  readonly answered: number;
}

export interface AlphaView {
  readonly epoch: number;
  readonly epochs: number;
  /** Of the finished alpha. */
  readonly accuracy?: number;
  readonly reused: boolean;
}

export interface ActiveJob {
  readonly job: JobLabel;
  readonly startedAt: number;
  /** The last epoch's report and when it came. */
  readonly report?: { readonly progress: Progress; readonly at: number };
}

export function initialState(now: number): ViewState {
  return { startedAt: now, workers: new Map(), retrained: { count: 0, seconds: 0 }, finished: false };
}

/** The state after one more event. Pure: the old state stays as it was. */
export function advance(state: ViewState, event: RunEvent, now: number): ViewState {
  switch (event.type) {
    case 'preparing': {
      const { what, fraction } = event;
      return { ...state, preparing: fraction === undefined ? { what } : { what, fraction } };
    }
    case 'notice':
      return state;
    case 'opened':
      return { ...withoutPreparing(state), run: event.run };
    case 'phase':
      return openPhase(state, event);
    case 'alpha-reused':
      return { ...state, alpha: { epoch: 0, epochs: 0, accuracy: event.accuracy, reused: true } };
    case 'job-started':
      return withWorker(state, event.worker, { job: event.job, startedAt: now });
    case 'job-progress':
      return progressed(state, event, now);
    case 'job-retried':
      return { ...state, workers: withoutJob(state.workers, event.job, 'forget the worker') };
    case 'job-done':
      return jobDone(state, event);
    case 'generation-closed':
      return { ...withBest(state, event.bestAccuracy, event.bestMask), nabla: event.nabla };
    case 'finished':
      return { ...withoutPreparing(state), finished: true };
  }
}

type EventOf<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>;

/** Phases do not overlap, so whoever still seems to be at work has finished, or its end was not told. */
function openPhase(state: ViewState, { phase, total, answered }: EventOf<'phase'>): ViewState {
  const workers = new Map([...state.workers.keys()].map((name) => [name, undefined]));
  return { ...withoutPreparing(state), workers, phase: { phase, total, answered, done: 0 } };
}

function progressed(state: ViewState, { job, worker, progress }: EventOf<'job-progress'>, now: number): ViewState {
  const current = state.workers.get(worker);
  const startedAt = current?.job.id === job.id ? current.startedAt : now;
  const { imagesPerSecond } = progress;
  const next = {
    ...withWorker(state, worker, { job, startedAt, report: { progress, at: now } }),
    ...(imagesPerSecond > 0 && { imagesPerSecond }),
  };
  if (state.phase?.phase.name !== 'alpha') return next;
  return { ...next, alpha: { epoch: progress.epoch, epochs: progress.epochs, reused: false } };
}

function jobDone(state: ViewState, { job, worker, accuracy, seconds }: EventOf<'job-done'>): ViewState {
  const workers = new Map(withoutJob(state.workers, job, 'keep the worker')).set(worker, undefined);
  const next = { ...state, workers, ...(state.phase && { phase: { ...state.phase, done: state.phase.done + 1 } }) };
  switch (state.phase?.phase.name) {
    case 'alpha': {
      const epochs = state.alpha?.epochs ?? 0;
      return { ...next, alpha: { epoch: epochs, epochs, accuracy, reused: false } };
    }
    case 'generation': {
      const retrained = { count: state.retrained.count + 1, seconds: state.retrained.seconds + seconds };
      return { ...withBest(next, accuracy, job.text), retrained };
    }
    default:
      return next;
  }
}

/** The leader may be suppressed and so leave the population; the best so far stays. */
function withBest(state: ViewState, accuracy: number, mask: string): ViewState {
  return state.best && state.best.accuracy >= accuracy ? state : { ...state, best: { accuracy, mask } };
}

/** A job is where it was last heard of: another worker that had it has lost it. */
function withWorker(state: ViewState, worker: string, active: ActiveJob): ViewState {
  return { ...state, workers: new Map(withoutJob(state.workers, active.job, 'keep the worker')).set(worker, active) };
}

/** A worker whose job failed may be gone for good: it is shown again when it takes its next job. */
function withoutJob(workers: ViewState['workers'], job: JobLabel, then: 'keep the worker' | 'forget the worker') {
  const left = new Map<string, ActiveJob | undefined>();
  for (const [name, active] of workers) {
    if (active?.job.id !== job.id) left.set(name, active);
    else if (then === 'keep the worker') left.set(name, undefined);
  }
  return left;
}

function withoutPreparing({ preparing: _, ...rest }: ViewState): ViewState {
  return rest;
}
