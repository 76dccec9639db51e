import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CROSSOVERS } from './crossover.js';
import type { Individual } from './individual.js';
import { rngAt } from './rng.js';
import { type VariationParams, vary } from './variation.js';

const params = (changes: Partial<VariationParams> = {}): VariationParams => ({
  populationSize: 6,
  crossoverProbability: 0.9,
  mutationProbability: 0.1,
  crossover: 'uniform',
  ...changes,
});
const populations = fc
  .record({ m: fc.integer({ min: 2, max: 9 }), bits: fc.integer({ min: 1, max: 12 }) })
  .chain(({ m, bits }) =>
    fc.array(
      fc.record({
        mask: fc.array(fc.constantFrom<0 | 1>(0, 1), { minLength: bits, maxLength: bits }),
        fitness: fc.double({ min: 0, max: 1, noNaN: true }),
      }),
      { minLength: m, maxLength: m },
    ),
  );
const crossovers = fc.constantFrom(...CROSSOVERS);

/** All 0s and all 1s, equally fit: every bit of a child tells which parent it comes from. */
const contrast = (bits: number): Individual[] => [
  { mask: Array<0>(bits).fill(0), fitness: 0.5 },
  { mask: Array<1>(bits).fill(1), fitness: 0.5 },
];

describe('vary', () => {
  test('mu = 0 and nu = 0: every child is a copy of its first parent', () => {
    fc.assert(
      fc.property(populations, crossovers, fc.nat(), (parents, crossover, seed) => {
        const p = params({
          populationSize: parents.length,
          crossoverProbability: 0,
          mutationProbability: 0,
          crossover,
        });
        for (const { mask, lineage } of vary(parents, p, rngAt(seed))) {
          expect(mask).toEqual(parents[lineage.parents[0]]!.mask);
          expect(lineage).toMatchObject({ crossover: false, mutated: [] });
        }
      }),
    );
  });

  test('as many children as the population has individuals, odd numbers too, all as long as their parents', () => {
    fc.assert(
      fc.property(populations, crossovers, fc.nat(), (parents, crossover, seed) => {
        const children = vary(parents, params({ populationSize: parents.length, crossover }), rngAt(seed));
        expect(children).toHaveLength(parents.length);
        for (const { mask } of children) expect(mask).toHaveLength(parents[0]!.mask.length);
      }),
    );
  });

  test('each bit comes from one of the two parents, flipped where the lineage says so', () => {
    fc.assert(
      fc.property(populations, crossovers, fc.nat(), (parents, crossover, seed) => {
        const p = params({ populationSize: parents.length, crossover, mutationProbability: 0.3 });
        for (const { mask, lineage } of vary(parents, p, rngAt(seed))) {
          const [a, b] = lineage.parents.map((i) => parents[i]!.mask);
          mask.forEach((bit, i) => {
            const inherited = lineage.mutated.includes(i) ? 1 - bit : bit;
            expect([a![i], b![i]]).toContain(inherited);
          });
        }
      }),
    );
  });

  test("without mutation, twins share their parents' bits out between them", () => {
    fc.assert(
      fc.property(populations, crossovers, fc.nat(), (parents, crossover, seed) => {
        const p = params({ populationSize: parents.length - (parents.length % 2), crossover, mutationProbability: 0 });
        const children = vary(parents, p, rngAt(seed));
        for (let i = 0; i < children.length; i += 2) {
          const [first, second] = [children[i]!, children[i + 1]!];
          const [a, b] = first.lineage.parents.map((parent) => parents[parent]!.mask);
          expect(second.lineage.parents).toEqual([...first.lineage.parents].reverse());
          first.mask.forEach((bit, k) => {
            expect([bit, second.mask[k]].sort()).toEqual([a![k], b![k]].sort());
          });
        }
      }),
    );
  });

  test('uniform crossover exchanges each bit half of the time; one-point all bits after one point', () => {
    const bits = 20;
    const children = (crossover: (typeof CROSSOVERS)[number]) =>
      vary(
        contrast(bits),
        params({ populationSize: 2000, crossoverProbability: 1, mutationProbability: 0, crossover }),
        rngAt(1),
      ).filter(({ lineage }) => lineage.parents[0] !== lineage.parents[1]);
    const switches = (mask: readonly number[]) => mask.filter((bit, i) => i > 0 && bit !== mask[i - 1]).length;

    const points = children('one-point').map(({ mask }) => {
      expect(switches(mask)).toBe(1);
      return mask.findIndex((bit) => bit !== mask[0]);
    });
    expect(new Set(points)).toEqual(new Set([...Array(bits).keys()].slice(1))); // every point between two bits occurs

    const exchanged = children('uniform').map(
      ({ mask, lineage }) => mask.filter((bit) => bit !== lineage.parents[0]).length,
    );
    const share = exchanged.reduce((sum, count) => sum + count, 0) / exchanged.length / bits;
    expect(share).toBeCloseTo(0.5, 1);
    expect(new Set(exchanged).size).toBeGreaterThan(8); // bit by bit, not all or none
  });

  test('crossover happens to a share of mu of the pairs, a mutation to a share of nu of the bits', () => {
    const children = vary(
      contrast(10),
      params({ populationSize: 10_000, crossoverProbability: 0.7, mutationProbability: 0.2 }),
      rngAt(1),
    );
    expect(Math.abs(children.filter(({ lineage }) => lineage.crossover).length / 10_000 - 0.7)).toBeLessThan(0.026);
    expect(Math.abs(children.flatMap(({ lineage }) => lineage.mutated).length / 100_000 - 0.2)).toBeLessThan(0.005);
  });

  test('binary tournament: rank r of m (0 the best) becomes a parent with probability (2 (m - r) - 1) / m^2', () => {
    const m = 4;
    const parents: Individual[] = [0.2, 0.8, 0.4, 0.6].map((fitness) => ({ mask: [0], fitness }));
    const ranks = [3, 0, 2, 1];
    const children = vary(parents, params({ populationSize: 40_000 }), rngAt(1));
    ranks.forEach((rank, i) => {
      const share = children.filter(({ lineage }) => lineage.parents[0] === i).length / children.length;
      expect(Math.abs(share - (2 * (m - rank) - 1) / m ** 2)).toBeLessThan(0.01);
    });
  });

  test('binary tournament: equals win equally often', () => {
    const parents: Individual[] = Array.from({ length: 4 }, () => ({ mask: [0], fitness: 0.5 }));
    const children = vary(parents, params({ populationSize: 40_000 }), rngAt(1));
    for (let i = 0; i < 4; i++) {
      const share = children.filter(({ lineage }) => lineage.parents[0] === i).length / children.length;
      expect(Math.abs(share - 0.25)).toBeLessThan(0.01);
    }
  });
});
