import { describe, expect, it } from 'vitest';
import { reachOf } from './reach.js';

const curve = (...points: [imagesSeen: number, accuracy: number][]) =>
  points.map(([imagesSeen, accuracy]) => ({ imagesSeen, accuracy }));

describe('reachOf', () => {
  it('is the part of the budget after which the mean of the seeds has reached the other’s mean end', () => {
    const curves = [curve([100, 0.5], [300, 0.9]), curve([200, 0.5], [400, 0.7])];
    // Means: none at 100, 0.5 at 200, 0.7 at 300, 0.8 at 400.
    expect(reachOf(curves, [0.6, 0.6], 1000).ratio).toBe(0.3);
    expect(reachOf(curves, [0.7, 0.7], 1000).ratio).toBe(0.3);
    expect(reachOf(curves, [0.9, 0.7], 1000).ratio).toBe(0.4);
    expect(reachOf(curves, [0.4, 0.4], 1000).ratio).toBe(0.2);
  });

  it('is null where the budget does not last, also at an end of the interval', () => {
    const curves = [curve([100, 0.5]), curve([100, 0.9])];
    expect(reachOf(curves, [0.8, 0.8], 1000)).toEqual({ ratio: null, low: 0.1, high: null });
    expect(reachOf(curves, [0.95, 0.95], 1000)).toEqual({ ratio: null, low: null, high: null });
  });

  it('draws a seed with both its runs: a method that reaches each of its own ends does so in every resample', () => {
    const curves = [curve([100, 0.1], [500, 0.2]), curve([100, 0.8], [200, 0.9]), curve([300, 0.5])];
    const { ratio, low, high } = reachOf(curves, [0.2, 0.9, 0.5], 1000);
    expect(ratio).toBe(0.5);
    // All three draws of the second seed, and of the third, or any with the first.
    expect(low).toBe(0.2);
    expect(high).toBe(0.5);
  });
});
