import { type Rng, rngAt } from '@nesgd/core/evolution';
import { mean, quantile } from '../report/statistics.js';

/** A mean and its 95 % confidence interval. */
export interface Estimate {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

const RESAMPLES = 10_000;
/** 2^15 sign patterns are looked at one by one; of more pairs a sample. */
const MOST_PAIRS_EXACT = 15;

/**
 * Percentile bootstrap (Efron 1979): the values are drawn anew with replacement, many times, and the middle 95 % of the
 * means kept. Draws come from a stream of their own, so the same values give the same interval.
 * With few values it is too narrow (of one it has no width): it knows nothing beyond them.
 * @param values at least one.
 */
export function bootstrapMean(values: readonly number[]): Estimate {
  const rng = rngAt(0, 'bootstrap', values.length);
  const means = Array.from({ length: RESAMPLES }, () => mean(values.map(() => values[rng.below(values.length)]!)));
  return { mean: mean(values), low: quantile(means, 0.025), high: quantile(means, 0.975) };
}

/**
 * Two-sided paired permutation test of a mean difference of 0 (Fisher 1935): were there no difference, each pair's
 * might as well have had the other sign. Exact up to 15 pairs: the share of all 2^n sign patterns whose mean lies at least as far
 * from 0 as the one observed. The smallest p is 2 / 2^n, so fewer than six pairs never give 0.05.
 * @param differences one a pair, at least one.
 */
export function signFlipTest(differences: readonly number[]): number {
  const n = differences.length;
  const observed = Math.abs(differences.reduce((sum, d) => sum + d, 0));
  // Sums of the same numbers in another order differ in their last bits.
  const atLeast = observed - 1e-12 * differences.reduce((sum, d) => sum + Math.abs(d), 0);
  const isAsFar = (sign: (i: number) => number) =>
    Math.abs(differences.reduce((sum, d, i) => sum + sign(i) * d, 0)) >= atLeast;

  if (n <= MOST_PAIRS_EXACT) {
    let asFar = 0;
    for (let pattern = 0; pattern < 2 ** n; pattern++) if (isAsFar((i) => ((pattern >> i) & 1 ? -1 : 1))) asFar++;
    return asFar / 2 ** n;
  }
  const rng: Rng = rngAt(0, 'sign flips', n);
  let asFar = 1; // The pattern that was observed is one of them.
  for (let i = 0; i < RESAMPLES; i++) if (isAsFar(() => (rng.bit(0.5) ? -1 : 1))) asFar++;
  return asFar / (RESAMPLES + 1);
}
