import { METHOD_WORDS, type MethodWords } from '@nesgd/core/methods';
import type { RunDescription } from '../run-events.js';
import { formatDifference } from './format.js';
import { dim, green, type Line } from './line.js';

/** As the run's method speaks of itself; before the run is opened, as NE-SGD does. */
export function wordsOf(run: RunDescription | undefined): MethodWords {
  return METHOD_WORDS[run?.method ?? 'ne-sgd'];
}

/** `generation 2/3`, `step 2/3`; a generation 0 is the initial population. */
export function roundName({ round }: MethodWords, t: number, of: number | undefined): string {
  return `${round} ${t}${of === undefined ? '' : `/${of}`}`;
}

/** ` +0.0021 on alpha`; nothing while one of the two is not known. */
export function gainOnAlpha(best: number | undefined, alpha: number | undefined): Line {
  if (best === undefined || alpha === undefined) return [];
  const text = ` ${formatDifference(best - alpha)}`;
  return [best > alpha ? green(text) : dim(text), ' on alpha'];
}
