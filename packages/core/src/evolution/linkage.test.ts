import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cluster, cut } from './clustering.js';
import { hammingDistances } from './hamming.js';
import type { Mask } from './individual.js';
import { LINKAGES, type Linkage, linkage } from './linkage.js';

/** Written by test/oracle/linkage_fixtures.py, which says what each field holds. */
type Merged = { merges: string; heights: string; cut: string };
type Pool = { n: number; bits: number; masks: string } & Record<Linkage, Merged>;
const pools: Pool[] = JSON.parse(readFileSync(new URL('./fixtures/linkage.json', import.meta.url), 'utf8')).pools;

function masksOf(pool: Pool): Mask[] {
  const bytes = Buffer.from(pool.masks, 'base64');
  const bit = (k: number) => ((bytes[k >> 3]! >> (7 - (k & 7))) & 1) as 0 | 1;
  return Array.from({ length: pool.n }, (_, i) => Array.from({ length: pool.bits }, (_, b) => bit(i * pool.bits + b)));
}

function heightsOf(merged: Merged, method: Linkage): number[] {
  const bytes = Buffer.from(merged.heights, 'base64');
  if (method !== 'average') return Array.from(bytes, Math.sqrt);
  return Array.from({ length: bytes.length / 8 }, (_, k) => bytes.readDoubleLE(8 * k));
}

test('linkage fixtures: hundreds of pools from 2 to 60 masks of 3 to 64 bits', () => {
  expect(pools.length).toBeGreaterThanOrEqual(300);
  expect([Math.min(...pools.map((p) => p.n)), Math.max(...pools.map((p) => p.n))]).toEqual([2, 60]);
  expect([Math.min(...pools.map((p) => p.bits)), Math.max(...pools.map((p) => p.bits))]).toEqual([3, 64]);
});

describe.each(LINKAGES)('%s linkage', (method) => {
  test('agrees with SciPy on every pool: merges, sizes, and heights to the last bit', () => {
    for (const pool of pools) {
      const tree = linkage(hammingDistances(masksOf(pool)), pool.n, method);
      const rows = Array.from(tree.left, (left, k) => [left, tree.right[k]!, tree.sizes[k]!]).flat();
      expect(rows).toEqual([...Buffer.from(pool[method].merges, 'base64')]);
      expect([...tree.heights]).toEqual(heightsOf(pool[method], method));
    }
  });

  test('cut to half the pool gives the clusters of the first merges of SciPy', () => {
    for (const pool of pools) {
      const clusters = cluster(masksOf(pool), Math.ceil(pool.n / 2), method);
      expect([...clusters]).toEqual([...Buffer.from(pool[method].cut, 'base64')]);
    }
  });

  test('merges as Algorithm 2 does literally, where no distances tie', () => {
    const distinct = fc.integer({ min: 2, max: 12 }).chain((n) => {
      const count = (n * (n - 1)) / 2;
      const ranks = fc.shuffledSubarray([...Array(count).keys()], { minLength: count });
      // Powers of e with different algebraic exponents: no sum of some ties a sum of others (Lindemann-Weierstrass).
      return fc.record({
        n: fc.constant(n),
        distances: ranks.map((r) => Float64Array.from(r, (x) => Math.exp(x / 7))),
      });
    });
    fc.assert(
      fc.property(distinct, fc.integer({ min: 1, max: 12 }), ({ n, distances }, wanted) => {
        const q = Math.min(n, wanted);
        expect([...cut(linkage(distances.slice(), n, method), q)]).toEqual(algorithm2(distances, n, q, method));
      }),
    );
  });

  test('still joins all points into one tree when distances differ by rounding alone', () => {
    const ulp = 2 ** -52;
    const nearlyTied = fc
      .integer({ min: 2, max: 10 })
      .chain((n) =>
        fc.array(fc.integer({ min: 0, max: 2 }), { minLength: (n * (n - 1)) / 2, maxLength: (n * (n - 1)) / 2 }),
      );
    fc.assert(
      fc.property(nearlyTied, (steps) => {
        const n = (1 + Math.sqrt(1 + 8 * steps.length)) / 2;
        const tree = linkage(
          Float64Array.from(steps, (s) => 1.1 + s * ulp),
          n,
          method,
        );
        expect(tree.sizes.at(-1)).toBe(n);
        expect(new Set([...tree.left, ...tree.right]).size).toBe(2 * (n - 1));
      }),
      { numRuns: 2000 },
    );
  });
});

test('linkage: a wrong number of distances is refused', () => {
  expect(() => linkage(new Float64Array(5), 4, 'average')).toThrow('linkage of 4 points wants 6 distances, got 5');
});

/** Lines 8-20 of Algorithm 2, word for word: O(n^3). @returns clusters numbered as first met. */
function algorithm2(distances: Float64Array, n: number, m: number, method: Linkage): number[] {
  const d = (i: number, j: number) =>
    distances[i < j ? n * i - (i * (i + 1)) / 2 + j - i - 1 : n * j - (j * (j + 1)) / 2 + i - j - 1]!;
  const between = (a: number[], b: number[]) => {
    const all = a.flatMap((i) => b.map((j) => d(i, j)));
    if (method === 'single') return Math.min(...all);
    if (method === 'complete') return Math.max(...all);
    return all.reduce((sum, x) => sum + x, 0) / all.length;
  };
  const clusters = Array.from({ length: n }, (_, i) => [i]);
  while (clusters.length > m) {
    let nearest = { distance: Infinity, i: 0, j: 0 };
    for (let i = 0; i < clusters.length; i++)
      for (let j = i + 1; j < clusters.length; j++) {
        const distance = between(clusters[i]!, clusters[j]!);
        if (distance < nearest.distance) nearest = { distance, i, j };
      }
    clusters[nearest.i]!.push(...clusters[nearest.j]!);
    clusters.splice(nearest.j, 1);
  }
  const ordered = clusters.sort((a, b) => Math.min(...a) - Math.min(...b));
  return Array.from({ length: n }, (_, i) => ordered.findIndex((members) => members.includes(i)));
}
