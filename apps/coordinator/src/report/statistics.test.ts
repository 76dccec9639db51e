import { expect, it } from 'vitest';
import { fiveNumbers, mean, quantile, standardDeviation } from './statistics.js';

// numpy.percentile([3, 1, 4, 1, 5, 9, 2, 6], [0, 25, 50, 75, 100]), .mean(), .std(ddof=1)
const VALUES = [3, 1, 4, 1, 5, 9, 2, 6];

it('fiveNumbers: as NumPy has them, in whatever order the values come', () => {
  expect(fiveNumbers(VALUES)).toEqual([1, 1.75, 3.5, 5.25, 9]);
  expect(fiveNumbers([7])).toEqual([7, 7, 7, 7, 7]);
  expect(quantile([0, 10], 0.3)).toBeCloseTo(3, 12);
});

it('mean and standardDeviation: of a sample, as NumPy has them with ddof=1', () => {
  expect(mean(VALUES)).toBe(3.875);
  expect(standardDeviation(VALUES)).toBeCloseTo(2.748376143938713, 12);
});
