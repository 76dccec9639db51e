import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rngAt } from './rng.js';

/** Written by test/oracle/rng_fixtures.py. */
type Stream = { path: [number, ...(string | number)[]]; uint32: number[]; uniform: number[]; normal: number[] };
const streams: Stream[] = JSON.parse(readFileSync(new URL('./fixtures/rng.json', import.meta.url), 'utf8'));

const times = <T>(count: number, draw: () => T): T[] => Array.from({ length: count }, draw);
const mean = (xs: readonly number[]) => xs.reduce((sum, x) => sum + x, 0) / xs.length;

describe('rngAt', () => {
  test.each(streams)('$path: draws what an implementation in Python draws', ({ path, uint32, uniform, normal }) => {
    const [words, uniforms, normals] = [rngAt(...path), rngAt(...path), rngAt(...path)];
    expect(uint32.map(() => words.nextUint32())).toEqual(uint32);
    expect(uniform.map(() => uniforms.uniform())).toEqual(uniform);
    for (const x of normal) expect(normals.normal()).toBeCloseTo(x, 14);
  });

  test('paths that differ in any part, or in where a part ends, name different streams', () => {
    const part = fc.oneof(fc.string(), fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }));
    const path = fc.tuple(fc.nat(), fc.array(part, { maxLength: 3 }));
    const firstWords = ([seed, parts]: [number, (string | number)[]]) => {
      const rng = rngAt(seed, ...parts);
      return times(4, () => rng.nextUint32());
    };
    fc.assert(
      fc.property(path, path, (a, b) => {
        fc.pre(JSON.stringify(a) !== JSON.stringify(b));
        expect(firstWords(a)).not.toEqual(firstWords(b));
      }),
    );
    expect(firstWords([1, ['ab', 'c']])).not.toEqual(firstWords([1, ['a', 'bc']]));
    expect(firstWords([1, [3]])).not.toEqual(firstWords([1, ['3']]));
  });

  test('streams of neighbouring paths are uncorrelated', () => {
    const draws = times(50, () => 0).map((_, t) => {
      const rng = rngAt(1, 'generation', t);
      return times(2000, () => rng.uniform() - 0.5);
    });
    for (let t = 1; t < draws.length; t++) {
      const correlation = mean(draws[t]!.map((x, i) => 12 * x * draws[t - 1]![i]!));
      expect(Math.abs(correlation)).toBeLessThan(4 / Math.sqrt(2000)); // four standard errors
    }
  });

  test('refuses NaN and infinities', () => {
    expect(() => rngAt(Number.NaN)).toThrow('a random stream is named by finite numbers and strings, got NaN');
    expect(() => rngAt(1, 'generation', Infinity)).toThrow(RangeError);
  });
});

describe('Rng', () => {
  test('uniform: in [0, 1), each of 100 equal cells equally often', () => {
    const rng = rngAt(1, 'uniform');
    const counts = new Array<number>(100).fill(0);
    for (const u of times(100_000, () => rng.uniform())) counts[Math.floor(100 * u)]! += 1; // out of range: NaN below
    expect(counts).toHaveLength(100);
    const chiSquared = counts.reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    expect(chiSquared).toBeGreaterThan(61); // 99 degrees of freedom: 0.1 % lies on either side
    expect(chiSquared).toBeLessThan(148);
  });

  test('below: without bias where a plain remainder would draw the low third half of the time', () => {
    const rng = rngAt(1, 'below');
    const n = 3 * 2 ** 30;
    const low = times(30_000, () => rng.below(n)).filter((x) => x < 2 ** 30).length;
    expect(Math.abs(low - 10_000)).toBeLessThan(330); // four standard deviations
  });

  test('below: always an integer in [0, n), and 0 and n - 1 do come', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 2 ** 32 })),
        (seed, n) => {
          const rng = rngAt(seed, n);
          const values = times(400, () => rng.below(n));
          expect(values.every((x) => Number.isInteger(x) && x >= 0 && x < n)).toBe(true);
          if (n <= 12) expect(new Set(values).size).toBe(n);
        },
      ),
    );
  });

  test.each([0, -1, 1.5, 2 ** 32 + 1, Number.NaN])('below: refuses n = %d', (n) => {
    expect(() => rngAt(1).below(n)).toThrow(`below(n) wants an integer n in [1, 2^32], got ${n}`);
  });

  test('bit: 0 and 1 are certain, p is the share of ones', () => {
    const rng = rngAt(1, 'bit');
    expect(times(1000, () => rng.bit(0)).every((b) => b === 0)).toBe(true);
    expect(times(1000, () => rng.bit(1)).every((b) => b === 1)).toBe(true);
    expect(Math.abs(mean(times(40_000, () => rng.bit(0.3))) - 0.3)).toBeLessThan(0.01);
  });

  test('normal: mean 0, variance 1, kurtosis 3, one in twenty beyond 1.96', () => {
    const rng = rngAt(1, 'normal');
    const xs = times(200_000, () => rng.normal());
    expect(Math.abs(mean(xs))).toBeLessThan(0.01);
    expect(Math.abs(mean(xs.map((x) => x ** 2)) - 1)).toBeLessThan(0.015);
    expect(Math.abs(mean(xs.map((x) => x ** 4)) - 3)).toBeLessThan(0.1);
    expect(Math.abs(mean(xs.map((x) => (Math.abs(x) > 1.96 ? 1 : 0))) - 0.05)).toBeLessThan(0.002);
  });

  test('normal: the same bits on every platform and Node version', () => {
    const rng = rngAt(1, 'pinned');
    const normals = Float64Array.from({ length: 100_000 }, () => rng.normal());
    expect(createHash('sha256').update(normals).digest('hex')).toBe(
      '5365c95c41ddb3055ac3b5d98f6e9d62bf47df4d740fcba12f8d07044f082446',
    );
  });

  test('normal: the two of a pair are independent', () => {
    const rng = rngAt(1, 'pairs');
    expect(Math.abs(mean(times(100_000, () => rng.normal() * rng.normal())))).toBeLessThan(0.013);
  });

  test('fillNormal: what successive calls of normal give, times std, also across calls of odd length', () => {
    const filled = rngAt(1, 'fill');
    const called = rngAt(1, 'fill');
    for (const length of [3, 4, 5]) {
      const expected = Float32Array.from({ length }, () => 0.1 * called.normal());
      expect(filled.fillNormal(new Float32Array(length), 0.1)).toEqual(expected);
    }
  });

  test('shuffle: in place, the same items, each of the 24 orders of 4 equally often', () => {
    const rng = rngAt(1, 'shuffle');
    const counts = new Map<string, number>();
    for (let i = 0; i < 24_000; i++) {
      const items = Int32Array.of(0, 1, 2, 3);
      expect(rng.shuffle(items)).toBe(items);
      const order = items.join('');
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    for (const [order, count] of counts) {
      expect([...order].sort().join('')).toBe('0123');
      expect(Math.abs(count - 1000)).toBeLessThan(130); // four standard deviations
    }
  });
});
