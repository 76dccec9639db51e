import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { bootstrapMean, signFlipTest } from './statistics.js';

interface Case {
  readonly values: number[];
  readonly others: number[];
  readonly mean: number;
  readonly low: number;
  readonly high: number;
  readonly p: number;
}
const { cases } = JSON.parse(readFileSync(new URL('./fixtures/statistics.json', import.meta.url), 'utf8')) as {
  cases: Case[];
};

describe('signFlipTest', () => {
  it('gives the p values of SciPy’s permutation_test, ties too', () => {
    expect(cases).toHaveLength(20);
    for (const { values, others, p } of cases) {
      expect(signFlipTest(values.map((value, i) => value - others[i]!))).toBeCloseTo(p, 12);
    }
  });

  it('is certain of nothing where nothing differs, and of six equal signs at 1/32', () => {
    expect(signFlipTest([0, 0, 0])).toBe(1);
    expect(signFlipTest([1, 2, 3, 4, 5, 6])).toBe(2 / 64);
    expect(signFlipTest([0.3])).toBe(1);
  });

  it('of many pairs it looks at a sample: equal to within its error to a shorter exact one', () => {
    // 18 pairs of which 4 are no difference at all: their signs change nothing, so 14 exact pairs give the same.
    const some = Array.from({ length: 14 }, (_, i) => (i % 3 === 0 ? -1 : 1) * (1 + i / 10));
    const exact = signFlipTest(some);
    expect(exact).toBeGreaterThan(0.05);
    expect(Math.abs(signFlipTest([...some, 0, 0, 0, 0]) - exact)).toBeLessThan(
      5 * Math.sqrt((exact * (1 - exact)) / 10_000),
    );
  });
});

describe('bootstrapMean', () => {
  it('gives SciPy’s percentile intervals, to within what 10,000 resamples move them', () => {
    for (const { values, mean, low, high } of cases) {
      const got = bootstrapMean(values);
      expect(got.mean).toBeCloseTo(mean, 12);
      // Of few values the resampled means are few numbers, and a quantile may fall on the next one.
      const width = Math.max(...values) - Math.min(...values);
      const tolerance = values.length < 5 ? width / values.length : 0.06 * width;
      expect(Math.abs(got.low - low)).toBeLessThanOrEqual(tolerance);
      expect(Math.abs(got.high - high)).toBeLessThanOrEqual(tolerance);
    }
  });

  it('gives the same interval for the same values, and one without width for one value', () => {
    expect(bootstrapMean([0.1, 0.4, 0.2])).toEqual(bootstrapMean([0.1, 0.4, 0.2]));
    expect(bootstrapMean([0.7])).toEqual({ mean: 0.7, low: 0.7, high: 0.7 });
  });
});
