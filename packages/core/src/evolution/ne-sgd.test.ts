import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EvaluationError, EvolutionParameterError, SavedGenerationError } from '../errors.js';
import { cluster } from './clustering.js';
import { CROSSOVERS } from './crossover.js';
import type { Generation } from './generation.js';
import { type Evaluate, type EvaluationContext, type Individual, type Mask, maskToString } from './individual.js';
import { LINKAGES, type Linkage } from './linkage.js';
import { neSgd } from './ne-sgd.js';
import { ONE_MAX_PARAMS, oneMax } from './one-max.fixture.js';
import type { NeSgdParams } from './parameters.js';
import { nabla } from './ranking.js';

const params = (changes: Partial<NeSgdParams> = {}): NeSgdParams => ({ ...ONE_MAX_PARAMS, ...changes });

const evaluateBy = (fitness: (mask: Mask, context: EvaluationContext) => number): Evaluate => {
  return async (masks, context) => masks.map((mask) => ({ mask, fitness: fitness(mask, context) }));
};

async function run(p: NeSgdParams, evaluate: Evaluate = evaluateBy(oneMax), from?: Generation): Promise<Generation[]> {
  const generations: Generation[] = [];
  for await (const generation of neSgd(p, evaluate, from)) generations.push(generation);
  return generations;
}

const anyParams: fc.Arbitrary<NeSgdParams> = fc.record({
  seed: fc.nat(),
  genomeLength: fc.integer({ min: 1, max: 10 }),
  populationSize: fc.integer({ min: 2, max: 7 }),
  generations: fc.integer({ min: 0, max: 6 }),
  crossoverProbability: fc.double({ min: 0, max: 1, noNaN: true }),
  mutationProbability: fc.double({ min: 0, max: 1, noNaN: true }),
  crossover: fc.constantFrom(...CROSSOVERS),
  linkage: fc.constantFrom(...LINKAGES),
  suppression: fc.boolean(),
  reevaluateSurvivors: fc.boolean(),
  initialRetainProbability: fc.double({ min: 0, max: 1, noNaN: true }),
});
/** Differs between generations where survivors are measured anew, as a training with fresh draws does. */
const noisy = evaluateBy((mask, { generation, again }) => 0.9 * oneMax(mask) + (again ? (generation % 3) / 30 : 0));

describe('neSgd', () => {
  test('yields the initial population as generation 0, then generations 1 to T', async () => {
    const generations = await run(params());
    expect(generations.map((g) => g.t)).toEqual([...Array(31).keys()]);
    expect(generations[0]).toMatchObject({ offspring: [], lineage: [], clusters: [], suppressed: [] });
    expect(generations[0]!.parents).toHaveLength(5);
  });

  test.each([1, 2, 3, 4, 5])(
    'OneMax with seed %d: the best rises and never falls, and reaches all ones',
    async (seed) => {
      const best = (await run(params({ seed, generations: 60 }))).map((g) => g.best.fitness);
      expect(best).toEqual([...best].sort((a, b) => a - b));
      expect(best[0]).toBeLessThan(1);
      expect(best.at(-1)).toBe(1);
    },
  );

  test('asks for the clusters of a pool while its offspring are measured', async () => {
    const order: string[] = [];
    let clustered = () => {};
    const untilClustered = new Promise<void>((resolve) => {
      clustered = resolve;
    });
    const evaluate: Evaluate = async (masks, context) => {
      if (context.generation > 0) await untilClustered;
      order.push(`measured ${context.generation}`);
      return evaluateBy(oneMax)(masks, context);
    };
    const search = neSgd(params({ generations: 1 }), evaluate, undefined, async (...asked) => {
      order.push('clustered');
      clustered();
      return cluster(...asked);
    });
    for await (const { pool, clusters, t } of search) {
      if (t > 0)
        expect(clusters).toEqual([
          ...cluster(
            pool.map(({ mask }) => mask),
            5,
          ),
        ]);
    }
    expect(order).toEqual(['measured 0', 'clustered', 'measured 1']);
  });

  test('beats random masks on OneMax at the same number of evaluations', async () => {
    const bits = 40;
    const search = (p: Partial<NeSgdParams>) => run(params({ genomeLength: bits, ...p }));
    const evolved = (await search({})).at(-1)!.best.fitness;
    const random = (await search({ populationSize: 5 * 31, generations: 0 })).at(-1)!.best.fitness;
    expect(evolved).toBeGreaterThan(random + 2 / bits);
  });

  test('the same parameters give the same generations', async () => {
    await fc.assert(
      fc.asyncProperty(anyParams, async (p) => {
        expect(await run(p, noisy)).toEqual(await run(p, noisy));
      }),
      { numRuns: 30 },
    );
  });

  test('another seed searches elsewhere', async () => {
    expect(await run(params({ seed: 1 }))).not.toEqual(await run(params({ seed: 2 })));
  });

  test('resuming from any generation, read back from JSON, equals the uninterrupted run', async () => {
    await fc.assert(
      fc.asyncProperty(anyParams, async (p) => {
        const whole = await run(p, noisy);
        for (const { t } of whole) {
          const saved: Generation = JSON.parse(JSON.stringify(whole[t]));
          expect(await run(p, noisy, saved)).toEqual(whole.slice(t + 1));
        }
      }),
      { numRuns: 30 },
    );
  });

  test('the order in which individuals are evaluated does not matter', async () => {
    const backwards: Evaluate = async (masks) => {
      const done: Individual[] = [];
      for (const mask of [...masks].reverse()) done.push({ mask, fitness: oneMax(mask) });
      return done.reverse();
    };
    const racing: Evaluate = (masks) =>
      Promise.all(
        masks.map(async (mask, i) => {
          for (let turn = 0; turn < (7 * i) % 5; turn++) await Promise.resolve();
          return { mask, fitness: oneMax(mask) };
        }),
      );
    const expected = await run(params());
    expect(await run(params(), backwards)).toEqual(expected);
    expect(await run(params(), racing)).toEqual(expected);
  });

  test('each generation accounts for itself: pool, survivors, lineage, nabla and best fit together', async () => {
    await fc.assert(
      fc.asyncProperty(anyParams, async (p) => {
        const m = p.populationSize;
        const generations = await run({ ...p, reevaluateSurvivors: false });
        const measured: Individual[] = [];
        generations.forEach((g, i) => {
          const before = i === 0 ? [] : generations[i - 1]!.parents;
          measured.push(...(i === 0 ? g.pool : g.offspring));
          expect(g.pool).toEqual(i === 0 ? g.parents : [...before, ...g.offspring]);
          expect(g.parents).toHaveLength(m);
          for (const survivor of g.parents) expect(g.pool).toContain(survivor);
          expect(g.lineage).toHaveLength(g.offspring.length);
          const masks = g.pool.map(({ mask }) => mask);
          expect(g.clusters).toEqual(p.suppression && i > 0 ? [...cluster(masks, m, p.linkage)] : []);
          expect(g.nabla).toBe(nabla(g.parents));
          expect(g.best).toEqual(
            measured.find(({ fitness }) => fitness === Math.max(...measured.map((x) => x.fitness))),
          );
        });
      }),
      { numRuns: 50 },
    );
  });

  test('clusters the pool by the linkage asked for', async () => {
    const firstGeneration = async (linkage: Linkage) => (await run(params({ populationSize: 20, linkage })))[1]!;
    const labels = await Promise.all(
      LINKAGES.map(async (linkage) => {
        const { pool, clusters } = await firstGeneration(linkage);
        const masks = pool.map(({ mask }) => mask);
        expect(clusters).toEqual([...cluster(masks, 20, linkage)]);
        return clusters.join(' ');
      }),
    );
    expect(new Set(labels).size).toBe(LINKAGES.length);
  });

  test('suppression changes who survives', async () => {
    const withIt = await run(params({ populationSize: 8 }));
    const without = await run(params({ populationSize: 8, suppression: false }));
    expect(withIt.some((g) => g.suppressed.length > 0)).toBe(true);
    expect(without.every((g) => g.suppressed.length === 0)).toBe(true);
    expect(withIt.map((g) => g.parents)).not.toEqual(without.map((g) => g.parents));
  });

  test('evaluates m masks for generation 0 and m offspring for each later one, survivors never', async () => {
    const calls: [number, EvaluationContext][] = [];
    await run(params({ generations: 3 }), async (masks, context) => {
      calls.push([masks.length, context]);
      return evaluateBy(oneMax)(masks, context);
    });
    expect(calls).toEqual([0, 1, 2, 3].map((generation) => [5, { generation }]));
  });

  test('reevaluateSurvivors: measures survivors anew from generation 2 on, before their tournaments', async () => {
    const calls: EvaluationContext[] = [];
    const generations = await run(params({ generations: 3, reevaluateSurvivors: true }), async (masks, context) => {
      calls.push(context);
      return masks.map((mask) => ({ mask, fitness: context.again ? 0.01 * context.generation : oneMax(mask) }));
    });
    expect(calls).toEqual([
      { generation: 0 },
      { generation: 1 },
      { generation: 2, again: true },
      { generation: 2 },
      { generation: 3, again: true },
      { generation: 3 },
    ]);
    expect(generations[2]!.pool.slice(0, 5).map(({ fitness }) => fitness)).toEqual(Array(5).fill(0.02));
    expect(generations[2]!.pool.slice(0, 5).map(({ mask }) => mask)).toEqual(
      generations[1]!.parents.map(({ mask }) => mask),
    );
  });

  test('reevaluateSurvivors: best is the highest measurement of any generation, even where the survivor falls', async () => {
    const fading = evaluateBy((mask, { generation }) => oneMax(mask) / (1 + generation));
    const [initial, ...later] = await run(params({ generations: 3, reevaluateSurvivors: true }), fading);
    for (const { best } of later) expect(best).toEqual(initial!.best);
  });

  test('draws as it always has: a saved run resumes under a later version as it would have under its own', async () => {
    const p = params({ seed: 42, generations: 4, mutationProbability: 0.05 });
    const survivors = (await run(p)).map((g) => g.parents.map(({ mask }) => maskToString(mask)).join(' '));
    expect(survivors).toEqual([
      '101000110000 100110110101 011110110001 101000010110 110000100100',
      '011111110001 100110110101 011110110001 001110110101 111100111000',
      '101110111101 011111110001 011111111000 100110110101 011110110001',
      '111111111101 101110111101 101111111001 101110111101 011111110001',
      '111111111101 111111111101 101110111101 101111111001 101110111101',
    ]);
  });

  test('initialRetainProbability: 1 starts from alpha itself, 0 from scratch', async () => {
    const start = async (initialRetainProbability: number) =>
      (await run(params({ generations: 0, initialRetainProbability })))[0]!.parents.map(({ fitness }) => fitness);
    expect(await start(1)).toEqual(Array(5).fill(1));
    expect(await start(0)).toEqual(Array(5).fill(0));
  });
});

describe('neSgd refuses, before it evaluates anything,', () => {
  const untouched: Evaluate = async () => {
    throw new Error('evaluated');
  };

  test.each<[Partial<NeSgdParams>, string]>([
    [{ seed: -1 }, 'seed is -1: give a whole number from 0'],
    [{ seed: 2 ** 53 }, 'seed is 9007199254740992: give a whole number from 0, below 2^53'],
    [{ genomeLength: 0 }, 'genomeLength is 0: give a whole number from 1'],
    [{ populationSize: 1 }, 'populationSize is 1: give a whole number from 2'],
    [{ populationSize: 2.5 }, 'populationSize is 2.5: give a whole number from 2'],
    [{ generations: -1 }, 'generations is -1: give a whole number from 0'],
    [{ crossoverProbability: 1.1 }, 'crossoverProbability is 1.1: give a probability from 0 to 1'],
    [{ mutationProbability: Number.NaN }, 'mutationProbability is NaN: give a probability from 0 to 1'],
    [{ initialRetainProbability: -0.1 }, 'initialRetainProbability is -0.1: give a probability from 0 to 1'],
    [{ linkage: 'ward' as 'single' }, 'linkage is ward: give one of average, single, complete'],
    [{ crossover: 'two-point' as 'uniform' }, 'crossover is two-point: give one of uniform, one-point'],
  ])('%j', async (changes, message) => {
    const refused = run(params(changes), untouched);
    await expect(refused).rejects.toThrow(EvolutionParameterError);
    await expect(refused).rejects.toThrow(message);
  });

  test('a saved generation with a survivor of another length', async () => {
    const saved = (await run(params({ generations: 2 }))).at(-1)!;
    const parents = saved.parents.with(3, { mask: [1], fitness: 0.5 });
    const refused = run(params(), untouched, { ...saved, parents });
    await expect(refused).rejects.toThrow('has a mask of 1 bits, but the model has 12 blocks');
  });

  test.each<[string, Partial<NeSgdParams>, string]>([
    ['another population size', { populationSize: 6 }, 'has 5 survivors, but the population size is 6'],
    ['another model', { genomeLength: 9 }, 'has a mask of 12 bits, but the model has 9 blocks'],
    ['fewer generations', { generations: 1 }, 'is number 2, but the search has generations 0 to 1'],
  ])('a saved generation of a search with %s', async (_, changes, message) => {
    const saved = (await run(params({ generations: 2 }))).at(-1)!;
    const refused = run(params(changes), untouched, saved);
    await expect(refused).rejects.toThrow(SavedGenerationError);
    await expect(refused).rejects.toThrow(message);
  });
});

describe('neSgd trusts no evaluator that', () => {
  const honest = evaluateBy(oneMax);
  test.each<[string, Evaluate, string]>([
    [
      'loses an individual',
      async (m, c) => (await honest(m, c)).slice(1),
      '5 masks were given, 4 individuals came back',
    ],
    ['mixes up masks', async (m, c) => [...(await honest(m, c))].reverse(), 'was given in its place'],
    ['measures NaN', evaluateBy(() => Number.NaN), 'is NaN, but an accuracy is from 0 to 1'],
    ['measures per cent', evaluateBy((mask) => 100 * oneMax(mask) + 2), 'but an accuracy is from 0 to 1'],
  ])('%s', async (_, evaluate, message) => {
    const stopped = run(params(), evaluate);
    await expect(stopped).rejects.toThrow(EvaluationError);
    await expect(stopped).rejects.toThrow(message);
  });
});
