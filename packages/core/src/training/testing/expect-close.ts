import { expect } from 'vitest';

/**
 * Fails unless each difference is within `tolerance` times the largest wanted magnitude.
 * @param floor taken for that where all are smaller: only the rounding of larger terms may be left in them.
 */
export function expectClose(
  what: string,
  got: Float32Array,
  wanted: Float32Array,
  tolerance: number,
  floor = 0.1,
): void {
  expect(got.length, `${what}: number of values`).toBe(wanted.length);
  const largest = wanted.reduce((most, value) => Math.max(most, Math.abs(value)), floor);
  const worst = got.reduce((most, value, i) => Math.max(most, Math.abs(value - wanted[i]!)), 0);
  expect(worst / largest, `${what}: largest difference as a part of ${largest}`).toBeLessThanOrEqual(tolerance);
}
