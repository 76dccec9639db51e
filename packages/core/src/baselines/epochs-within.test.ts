import { describe, expect, it } from 'vitest';
import { epochsWithin } from './epochs-within.js';

describe('epochsWithin', () => {
  it('gives all but less than an epoch, in order, and the rest to the last', () => {
    expect(epochsWithin([3, 3, 3, 3], 7.9 * 100, 100)).toEqual([3, 3, 1, 0]);
  });
  it('gives what is wanted where there is no limit', () => {
    expect(epochsWithin([3, 5], Number.POSITIVE_INFINITY, 100)).toEqual([3, 5]);
  });
  it('gives nothing where less than an epoch is left, or the budget was overdrawn', () => {
    expect(epochsWithin([3], 99, 100)).toEqual([0]);
    expect(epochsWithin([3], -500, 100)).toEqual([0]);
  });
});
