import type { Fact } from '@nesgd/core/run';
import type { ComparedRun } from './comparison.js';

/** A planned run of a comparison as far as it has come; without facts where it was not begun. */
export interface AttemptedRun extends ComparedRun {
  readonly seed: number;
}

export interface WholeSeeds {
  /** Finished ones: of the seeds that every method left has finished, seed by seed. */
  readonly runs: readonly ComparedRun[];
  /** What diverged, and what was left out for it. */
  readonly notes: readonly string[];
}

/**
 * What can be compared: pairs are made by seed, so a seed that one method has not finished counts for none. A method
 * that diverged with every seed is left out itself.
 */
export function wholeSeeds(attempts: readonly AttemptedRun[]): WholeSeeds {
  const names = [...new Set(attempts.map(({ contender }) => contender))];
  const seeds = [...new Set(attempts.map(({ seed }) => seed))];
  const divergedWith = (name: string) =>
    attempts.filter(({ contender, facts }) => contender === name && divergenceOf(facts) !== undefined);
  const left = names.filter((name) => divergedWith(name).length < seeds.length);
  const of = attempts.filter(({ contender, facts }) => left.includes(contender) && isFinished(facts));
  const whole = seeds.filter((seed) => of.filter((run) => run.seed === seed).length === left.length);
  const notes = names.flatMap((name) => divergenceNote(name, divergedWith(name), seeds.length));
  const runs = of.filter(({ seed }) => whole.includes(seed));
  return { runs: runs.map(({ contender, runId, facts }) => ({ contender, runId, facts })), notes };
}

function divergenceNote(name: string, diverged: readonly AttemptedRun[], seeds: number): string[] {
  const [first] = diverged;
  if (!first) return [];
  const reason = divergenceOf(first.facts);
  if (diverged.length === seeds) return [`${name} diverged with every seed and is left out: ${reason}`];
  const which = diverged.map(({ seed }) => seed).join(', ');
  return [
    `${name} diverged with ${diverged.length} of ${seeds} seeds (${which}), which are left out for every method: it looks better here than it is. ${reason}`,
  ];
}

const isFinished = (facts: readonly Fact[]): boolean => facts.some(({ type }) => type === 'finished');

const divergenceOf = (facts: readonly Fact[]): string | undefined =>
  facts.find((fact) => fact.type === 'diverged')?.reason;
