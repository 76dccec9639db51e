import { evolvesMasks, METHOD_WORDS, type MethodName, usesAlpha } from '@nesgd/core/methods';
import type { OpenedFact } from '@nesgd/core/run';

/** How a run's method speaks of itself, and how many rounds of its own it has. */
export interface RunWords {
  readonly round: string;
  readonly rounds: string;
  /** How many there are; null where a budget decides. */
  readonly last: number | null;
  readonly individual: string;
  readonly individuals: string;
  /** Whether it begins with the alpha checkpoint. */
  readonly usesAlpha: boolean;
  /** Whether masks have parents, and similar ones are suppressed. */
  readonly evolvesMasks: boolean;
}

export function runWords({ method, evolution, budget }: OpenedFact['experiment']): RunWords {
  const { name } = method;
  const { round, individual } = METHOD_WORDS[name];
  const lasts: Readonly<Record<MethodName, number>> = {
    'ne-sgd': evolution.generations,
    'random-masks': evolution.generations,
    sgd: Math.ceil(method.sgd.repeats / evolution.populationSize),
    'sgd-restarts': Math.ceil(method.sgdRestarts.repeats / evolution.populationSize),
    esgd: method.esgd.generations,
    pbt: method.pbt.steps,
  };
  return {
    round,
    rounds: `${round}s`,
    last: budget === undefined ? lasts[name] : null,
    individual,
    individuals: `${individual}s`,
    usesAlpha: usesAlpha(name),
    evolvesMasks: evolvesMasks(name),
  };
}

/** Epochs that a network's weights had behind them: two methods train their networks on from round to round. */
export function epochsBefore(round: number, { method }: OpenedFact['experiment']): number {
  if (method.name === 'pbt') return (round - 1) * method.pbt.epochs;
  // Every second round of ESGD recombines, and trains nothing.
  if (method.name === 'esgd') return Math.floor(round / 2) * method.esgd.epochs;
  return 0;
}

export function capitalised(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
