import { rngAt } from '@nesgd/core/evolution';
import { accuracyAt, type Point } from './best-so-far.js';

/** How soon a method is as good as another ends. */
export interface Reach {
  /** The images that it needs, over the budget; null: the budget does not last for it. */
  readonly ratio: number | null;
  /** The interval that holds 95 %; null at an end where the budget does not last for it. */
  readonly low: number | null;
  readonly high: number | null;
}

const RESAMPLES = 10_000;
/** Sums of the same accuracies in another order differ in their last bits. */
const ROUNDING = 1e-12;

/**
 * The images after which one method's mean best-so-far accuracy has reached another's mean accuracy at the end, as a
 * part of the budget. Means are over the seeds, so that one lucky seed of the other is no bar that nobody reaches.
 * The interval is a percentile bootstrap over seeds (Efron 1979): a seed is drawn with both its runs.
 * @param curves of the method that is asked, one a seed.
 * @param ends of the other, the same seeds in the same order: its accuracies at the end.
 */
export function reachOf(curves: readonly (readonly Point[])[], ends: readonly number[], budget: number): Reach {
  const n = curves.length;
  const moments = [...new Set(curves.flat().map(({ imagesSeen }) => imagesSeen))].sort((a, b) => a - b);
  const accuracies = curves.map((points) => moments.map((m) => accuracyAt(points, m) ?? Number.NEGATIVE_INFINITY));
  const firstReached = (seeds: readonly number[]): number => {
    const target = seeds.reduce((sum, seed) => sum + ends[seed]!, 0) - ROUNDING;
    const isReached = (at: number) => seeds.reduce((sum, seed) => sum + accuracies[seed]![at]!, 0) >= target;
    // Best-so-far only rises, so the moments are all below the target and then all at it.
    let [low, high] = [0, moments.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isReached(middle)) high = middle;
      else low = middle + 1;
    }
    return low < moments.length ? moments[low]! / budget : Number.POSITIVE_INFINITY;
  };
  const rng = rngAt(0, 'bootstrap reach', n);
  const resampled = Array.from({ length: RESAMPLES }, () =>
    firstReached(Array.from({ length: n }, () => rng.below(n))),
  ).sort((a, b) => a - b);
  return {
    ratio: finite(firstReached([...curves.keys()])),
    // Whole order statistics: between a number and "never" there is nothing to interpolate.
    low: finite(resampled[Math.floor(0.025 * (RESAMPLES - 1))]!),
    high: finite(resampled[Math.ceil(0.975 * (RESAMPLES - 1))]!),
  };
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);
