import { describe, expect, it } from 'vitest';
import { imagesOfTraining } from '../protocol/index.js';
import { epochsWithin } from './epochs-within.js';

const imagesOf = (epochs: number) => 100 * epochs;

describe('epochsWithin', () => {
  it('gives all but less than an epoch, in order, and the rest to the last', () => {
    expect(epochsWithin([3, 3, 3, 3], 7.9 * 100, imagesOf)).toEqual([3, 3, 1, 0]);
  });
  it('gives what is wanted where there is no limit', () => {
    expect(epochsWithin([3, 5], Number.POSITIVE_INFINITY, imagesOf)).toEqual([3, 5]);
  });
  it('charges each what its epochs cost in all: averaging takes images of its own', () => {
    const averaged = (epochs: number) => imagesOfTraining({ averageLast: 2 }, epochs, 100);
    expect([1, 2, 3].map(averaged)).toEqual([100, 300, 400]);
    expect(imagesOfTraining({ averageLast: 2 }, 2, 10_000)).toBe(22_500);
    expect(epochsWithin([3, 3], 799, averaged)).toEqual([3, 2]);
    expect(epochsWithin([3, 3], 699, averaged)).toEqual([3, 1]);
  });
  it('gives nothing where less than an epoch is left, or the budget was overdrawn', () => {
    expect(epochsWithin([3], 99, imagesOf)).toEqual([0]);
    expect(epochsWithin([3], -500, imagesOf)).toEqual([0]);
  });
});
