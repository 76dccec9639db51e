import { expect, it } from 'vitest';
import { allFinite, fromKernelLayout, toKernelLayout } from './weights.js';

it('kernel layouts: [cOut, cIn, kH, kW] becomes [kH, kW, cIn, cOut], and back', () => {
  const shape = [2, 3, 2, 4];
  const values = Float32Array.from({ length: 48 }, (_, i) => i);
  const converted = toKernelLayout(values, shape);
  const at = (o: number, i: number, h: number, w: number) => values[((o * 3 + i) * 2 + h) * 4 + w];
  expect(converted[((1 * 4 + 2) * 3 + 1) * 2 + 0]).toBe(at(0, 1, 1, 2));
  expect(converted[((0 * 4 + 3) * 3 + 2) * 2 + 1]).toBe(at(1, 2, 0, 3));
  expect(fromKernelLayout(converted, shape)).toEqual(values);
});

it.each([Number.NaN, Number.POSITIVE_INFINITY])('allFinite: one %d among weights is seen', (bad) => {
  const weights = (value: number) =>
    new Map([
      ['a', Float32Array.of(1, 2)],
      ['b', Float32Array.of(3, value)],
    ]);
  expect(allFinite(weights(4))).toBe(true);
  expect(allFinite(weights(bad))).toBe(false);
});
