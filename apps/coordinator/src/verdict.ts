import { type MethodName, searchesMasks } from '@nesgd/core/methods';
import type { FinishedFact } from '@nesgd/core/run';
import type { Verdict } from './run-events.js';

/** How the winner compares with alpha, on the split that is fitness; null for a method that searches no masks. */
export function verdictOn({ best, alpha }: Pick<FinishedFact, 'best' | 'alpha'>, method: MethodName): Verdict | null {
  if (!alpha || !searchesMasks(method)) return null;
  if (best.accuracy <= alpha.accuracy) return 'not better';
  return best.mask.includes('0') ? 'better' : 'alpha trained longer';
}
