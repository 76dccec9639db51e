import { rngAt } from '@nesgd/core/evolution';
import type { EvaluateJob, Job } from '@nesgd/core/protocol';

/** What a simulated training is: a function of seed and genome, so that whoever asks is told the same. */
export interface SimulatedTraining {
  readonly seconds: number;
  readonly accuracy: number;
}

/** One in so many takes several times as long: a shared machine, a slow disk. */
const STRAGGLERS = 0.02;
const STRAGGLER_FACTOR = 3;
/** The others take from 1 - SPREAD to 1 + SPREAD of the mean. */
const SPREAD = 0.25;

/** @param meanSeconds of those that are no stragglers. */
export function simulatedTraining(seed: number, mask: string, meanSeconds: number): SimulatedTraining {
  const rng = rngAt(seed, 'simulated', mask);
  const draw = () => rng.nextUint32() / 2 ** 32;
  const usual = meanSeconds * (1 - SPREAD + 2 * SPREAD * draw());
  const seconds = draw() < STRAGGLERS ? STRAGGLER_FACTOR * usual : usual;
  return { seconds, accuracy: 0.5 + 0.5 * draw() };
}

/** Whether, and after which share of its time, an attempt ends with a dead trainer; undefined where it does not. */
export function simulatedFailure(seed: number, mask: string, attempt: number, rate: number): number | undefined {
  const rng = rngAt(seed, 'simulated failure', mask, attempt);
  const draw = () => rng.nextUint32() / 2 ** 32;
  return draw() < rate ? draw() : undefined;
}

/** The genome; alpha's training and the test are so short that they do not count. */
export const maskOf = (job: Job): string | undefined =>
  job.kind === 'evaluate' ? (job as EvaluateJob).mask : undefined;

/** The shortest time in which `workers` can do jobs one after the other in the order given, without any overhead. */
export function idealSeconds(jobSeconds: readonly number[], workers: number): number {
  const freeAt = new Float64Array(Math.min(workers, Math.max(1, jobSeconds.length)));
  for (const seconds of jobSeconds) {
    let first = 0;
    for (let i = 1; i < freeAt.length; i++) if (freeAt[i]! < freeAt[first]!) first = i;
    freeAt[first]! += seconds;
  }
  return Math.max(...freeAt);
}
