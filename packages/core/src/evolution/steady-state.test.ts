import { describe, expect, it } from 'vitest';
import type { Individual, Mask } from './individual.js';
import { ONE_MAX_PARAMS, oneMax } from './one-max.fixture.js';
import { rngAt } from './rng.js';
import { type SteadyStateParams, steadyState } from './steady-state.js';

const params = (changes: Partial<SteadyStateParams> = {}): SteadyStateParams => ({
  ...ONE_MAX_PARAMS,
  steadyStateLag: 3,
  ...changes,
});

/** Measurements that end in an order of their own, the given number at a time. */
async function search(p: SteadyStateParams, order: string, affordable = Number.POSITIVE_INFINITY) {
  const rng = rngAt(1, order);
  const births: { index: number; settled: number }[] = [];
  const open = new Set<number>();
  let mostOpen = 0;
  const evaluate = (mask: Mask, birth: { index: number; settled: number }): Promise<Individual> | undefined => {
    if (birth.index >= affordable) return undefined;
    births.push(birth);
    open.add(birth.index);
    mostOpen = Math.max(mostOpen, open.size);
    const turns = 1 + rng.below(20);
    return (async () => {
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      open.delete(birth.index);
      return { mask, fitness: oneMax(mask) };
    })();
  };
  const generations = [];
  for await (const generation of steadyState(p, evaluate)) generations.push(generation);
  return { generations, births, mostOpen };
}

describe('steadyState', () => {
  it.each([1, 2, 3, 4, 5])('OneMax with seed %d: the best never falls and reaches all ones', async (seed) => {
    const { generations } = await search(params({ seed, generations: 60 }), 'a');
    expect(generations.map(({ t }) => t)).toEqual([...Array(61).keys()]);
    const best = generations.map((generation) => generation.best.fitness);
    expect(best).toEqual([...best].sort((a, b) => a - b));
    expect(best.at(-1)).toBe(1);
    for (const { t, parents, offspring, pool } of generations) {
      expect([parents.length, offspring.length, pool.length]).toEqual([5, t === 0 ? 0 : 5, t === 0 ? 5 : 10]);
    }
  });

  it('is the same search in whatever order measurements end, and another with another lag', async () => {
    const { generations } = await search(params(), 'a');
    for (const order of ['b', 'c', 'd']) expect((await search(params(), order)).generations).toEqual(generations);
    expect((await search(params({ steadyStateLag: 2 }), 'a')).generations).not.toEqual(generations);
  });

  it.each([1, 3, 5])(
    'with a lag of %d it breeds from all but the last results, and keeps as many under way',
    async (steadyStateLag) => {
      const { births, mostOpen } = await search(params({ steadyStateLag, generations: 6 }), 'a');
      expect(births).toHaveLength(35);
      for (const { index, settled } of births) expect(settled).toBe(Math.max(0, index - steadyStateLag + 1));
      expect(mostOpen).toBe(steadyStateLag);
    },
  );

  it('ends where nothing is left, with all that was begun taken in', async () => {
    const { generations, births } = await search(params(), 'a', 13);
    expect(births).toHaveLength(13);
    expect(generations.map(({ t }) => t)).toEqual([0, 1]);
    const whole = await search(params(), 'b');
    expect(generations).toEqual(whole.generations.slice(0, 2));
  });

  it('a measurement that fails ends it, once the others under way have ended', async () => {
    let ended = 0;
    const evaluate = (mask: Mask, { index }: { index: number }): Promise<Individual> =>
      index === 6
        ? Promise.reject(new Error('lost'))
        : new Promise((resolve) => {
            setTimeout(() => {
              ended += 1;
              resolve({ mask, fitness: 0.5 });
            }, 5);
          });
    const run = async () => {
      for await (const _ of steadyState(params(), evaluate));
    };
    await expect(run()).rejects.toThrow('lost');
    expect(ended).toBeGreaterThanOrEqual(8);
  });
});
