import { describe, expect, it } from 'vitest';
import { geometricMean, median, ratioOf } from './statistics.js';

describe('statistics', () => {
  it('median: the middle value, or the mean of the middle two, whatever the order', () => {
    expect(median([5, 1, 3])).toBe(3);
    expect(median([10, 1, 2, 4])).toBe(3);
  });

  it('geometricMean: twice as fast and half as fast are as fast', () => {
    expect(geometricMean([2, 0.5])).toBeCloseTo(1, 12);
    expect(geometricMean([1, 4])).toBeCloseTo(2, 12);
  });

  it('ratioOf: the median of the rounds’ ratios, not the ratio of medians', () => {
    // In the second round the whole machine was slow: both sides of it were.
    expect(ratioOf([12, 3, 11], [10, 2, 10])).toEqual({ median: 1.2, range: [1.1, 1.5] });
  });
});
