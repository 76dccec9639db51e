import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Individual } from './individual.js';
import { maskFromString } from './individual.js';
import { LINKAGES } from './linkage.js';
import { select } from './selection.js';
import { suppress, suppressedFitness, unsuppressed } from './suppression.js';

const individual = (mask: string, fitness: number): Individual => ({ mask: maskFromString(mask), fitness });

/** 2m individuals of one length; few bits and few fitness values, so that masks and accuracies tie. */
const pools = fc
  .record({ m: fc.integer({ min: 1, max: 8 }), bits: fc.integer({ min: 1, max: 6 }) })
  .chain(({ m, bits }) => {
    const mask = fc.array(fc.constantFrom<0 | 1>(0, 1), { minLength: bits, maxLength: bits });
    const fitness = fc.integer({ min: 0, max: 10 }).map((x) => x / 10);
    return fc.array(fc.record({ mask, fitness }), { minLength: 2 * m, maxLength: 2 * m });
  });
const linkages = fc.constantFrom(...LINKAGES);

/** Two far clusters: `size` masks near 00000000, and one 11111111. */
function twoClusters(fitness: readonly number[]): Individual[] {
  const near = ['00000000', '10000000', '01000000', '00100000', '00010000'];
  return [...fitness.map((f, i) => individual(near[i]!, f)), individual('11111111', 0.1)];
}

describe('suppress', () => {
  test('a cluster of 3 is untouched', () => {
    expect(suppress(twoClusters([0.5, 0.2, 0.7]), 2).suppressed).toEqual([]);
  });

  test('in a cluster of 4 the least fit alone is suppressed, to a hundredth', () => {
    const pool = suppress(twoClusters([0.5, 0.2, 0.7, 0.6]), 2);
    expect(pool.clusters).toEqual([0, 0, 0, 0, 1]);
    expect(pool.suppressed).toEqual([1]);
    expect(suppressedFitness(pool)).toEqual([0.5, 0.2 * 1e-2, 0.7, 0.6, 0.1]);
  });

  test('of equally unfit members, the one that stands last is suppressed', () => {
    expect(suppress(twoClusters([0.5, 0.2, 0.7, 0.2, 0.6]), 2).suppressed).toEqual([3]);
  });

  test('says whom it suppressed in the order of the pool, not of the clusters', () => {
    const pool = ['0000', '1111', '0000', '1111', '0000', '1111', '1111', '0000'].map((mask, i) =>
      individual(mask, [0.9, 0.1, 0.9, 0.9, 0.9, 0.9, 0.9, 0.1][i]!),
    );
    expect(suppress(pool, 2).suppressed).toEqual([1, 7]);
  });

  test('at most one of each cluster is suppressed, of each of more than 3 exactly one, and it is the least fit', () => {
    fc.assert(
      fc.property(pools, linkages, (pool, linkage) => {
        const { clusters, suppressed } = suppress(pool, pool.length / 2, linkage);
        for (const c of new Set(clusters)) {
          const members = pool.filter((_, i) => clusters[i] === c);
          const marked = suppressed.filter((i) => clusters[i] === c);
          expect(marked).toHaveLength(members.length > 3 ? 1 : 0);
          for (const i of marked) expect(pool[i]!.fitness).toBe(Math.min(...members.map((member) => member.fitness)));
        }
      }),
    );
  });

  test('raw fitness and the order of the pool are untouched', () => {
    fc.assert(
      fc.property(pools, linkages, (pool, linkage) => {
        const before = structuredClone(pool);
        expect(suppress(pool, pool.length / 2, linkage).pool).toEqual(before);
        expect(pool).toEqual(before);
      }),
    );
  });

  test('the best accuracy of the pool always survives selection', () => {
    fc.assert(
      fc.property(pools, linkages, (pool, linkage) => {
        const survivors = select(suppress(pool, pool.length / 2, linkage), pool.length / 2);
        const best = (individuals: readonly Individual[]) => Math.max(...individuals.map((i) => i.fitness));
        expect(best(survivors)).toBe(best(pool));
      }),
    );
  });
});

describe('select', () => {
  test('takes m members of the pool, each once, with their raw fitness', () => {
    fc.assert(
      fc.property(pools, linkages, (pool, linkage) => {
        const m = pool.length / 2;
        const survivors = select(suppress(pool, m, linkage), m);
        expect(survivors).toHaveLength(m);
        expect(new Set(survivors).size).toBe(m);
        for (const survivor of survivors) expect(pool).toContain(survivor);
      }),
    );
  });

  test('goes by fitness and, between equals, by the place in the pool', () => {
    const pool = ['00', '01', '10', '11'].map((mask, i) => individual(mask, [0.4, 0.9, 0.4, 0.5][i]!));
    expect(select(unsuppressed(pool), 3)).toEqual([pool[1], pool[3], pool[0]]);
  });

  test('a suppressed individual gives way to a worse one', () => {
    const pool = twoClusters([0.5, 0.2, 0.7, 0.6]); // 0.2 is suppressed; 0.1 stands alone
    expect(select(suppress(pool, 2), 4).map((i) => i.fitness)).toEqual([0.7, 0.6, 0.5, 0.1]);
    expect(select(unsuppressed(pool), 4).map((i) => i.fitness)).toEqual([0.7, 0.6, 0.5, 0.2]);
  });

  test('suppressed individuals still survive when there is nobody else, fitness unchanged', () => {
    const pool = twoClusters([0.5, 0.2, 0.7, 0.6]);
    expect(select(suppress(pool, 2), 5)).toContain(pool[1]);
  });
});
