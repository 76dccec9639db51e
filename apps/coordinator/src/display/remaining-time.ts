import type { ActiveJob, ViewState } from './view-state.js';

/**
 * An estimate of the milliseconds until the run ends, from what was measured so far; undefined until something was.
 *
 * A generation is a barrier: with w workers, k jobs take ceil(k / w) rounds, however many wait for the next
 * generation. Individuals of later generations are all counted, though some will be answered from the journal, so the
 * estimate tends to fall faster than the clock. The final measurements on the test set are not counted: seconds.
 */
export function remainingTime(state: ViewState, now: number): number | undefined {
  const { run, phase } = state;
  if (!run || !phase || state.finished) return undefined;
  if (phase.phase.name === 'test') return undefined;

  const jobTime = retrainingTime(state);
  if (jobTime === undefined) return undefined;
  const workers = Math.max(1, run.workers, state.workers.size);
  const generationTime = Math.ceil(run.populationSize / workers) * jobTime;

  if (phase.phase.name === 'alpha') {
    const alpha = alphaTime(state, now);
    return alpha === undefined ? undefined : alpha + (run.generations + 1) * generationTime;
  }
  const running = activeJobs(state).map((active) => jobTime * (1 - doneFraction(active, jobTime, now)));
  const waiting = Math.max(0, phase.total - phase.done - running.length);
  const work = running.reduce((sum, time) => sum + time, 0) + waiting * jobTime;
  const current = Math.max(0, ...running, work / workers);
  return current + (phase.phase.of - phase.phase.t) * generationTime;
}

/** Milliseconds of one retraining: the mean of those done; before any is done, from the images per second reported. */
function retrainingTime(state: ViewState): number | undefined {
  const { count, seconds } = state.retrained;
  if (count > 0) return (1000 * seconds) / count;
  const epoch = epochTime(state);
  return epoch === undefined || !state.run?.retrainEpochs ? undefined : state.run.retrainEpochs * epoch;
}

/** Milliseconds until alpha is done. */
function alphaTime(state: ViewState, now: number): number | undefined {
  if (state.alpha?.accuracy !== undefined) return 0;
  const report = activeJobs(state).find((active) => active.report)?.report;
  const epoch = epochTime(state);
  if (!report || epoch === undefined) return undefined;
  return Math.max(0, (report.progress.epochs - report.progress.epoch) * epoch - (now - report.at));
}

function epochTime({ run, imagesPerSecond }: ViewState): number | undefined {
  return run && imagesPerSecond ? (1000 * run.trainImages) / imagesPerSecond : undefined;
}

function activeJobs(state: ViewState): ActiveJob[] {
  return [...state.workers.values()].filter((active) => active !== undefined);
}

/** The share of a job that is done: by its epochs or by the clock, whichever says more; never quite 1. */
function doneFraction({ startedAt, report }: ActiveJob, jobTime: number, now: number): number {
  const byEpochs = report ? report.progress.epoch / report.progress.epochs : 0;
  return Math.min(0.99, Math.max(byEpochs, (now - startedAt) / jobTime));
}
