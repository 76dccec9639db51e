import type { Individual } from './individual.js';
import { fittestFirst } from './ranking.js';
import { type SuppressedPool, suppressedFitness } from './suppression.js';

/**
 * Algorithm 1, line 11, environmental selection: the m fittest of the pool after suppression. Of equals, the one that
 * stands first in the pool survives.
 * @returns K_{t+1}: members of the pool with their raw fitness, in the order in which they were chosen.
 */
export function select(pool: SuppressedPool, m: number): Individual[] {
  return fittestFirst(suppressedFitness(pool))
    .slice(0, m)
    .map((i) => pool.pool[i]!);
}
