import type { ViewLine } from '@nesgd/core/view';
import { describe, expect, it } from 'vitest';
import { bestSoFar } from './best-so-far.js';
import { ancestry, birthsOf, originOf } from './births.js';
import { keptShares } from './block-frequency.js';
import { curvesOf, nearestCurve } from './curves.js';
import { fiveNumbers } from './five-numbers.js';
import { RunModel } from './run-model.js';

let seq = 0;
const line = (fact: ViewLine['fact']): ViewLine => ({ seq: seq++, at: '2026-01-31T12:00:00.000Z', fact });
const evaluated = (mask: string, accuracy: number) =>
  line({
    type: 'evaluated',
    mask,
    repeat: 0,
    accuracy,
    curve: [{ epoch: 1, trainLoss: 1, accuracy }],
    weights: null,
    imagesTrained: 10,
  });
const base = { type: 'generation', nabla: 0, clusters: [], suppressed: [] } as const;

/** Two by chance, two of those two; then a child of the first generation's, and a mask that was there before. */
function model(): RunModel {
  const run = new RunModel();
  const lines = [
    evaluated('1100', 0.5),
    evaluated('0011', 0.75),
    line({ ...base, t: 0, best: 1, parents: [0, 1], offspring: [], lineage: [], pool: [0, 1] }),
    evaluated('1111', 0.625),
    line({
      ...base,
      t: 1,
      best: 1,
      parents: [1, 2],
      offspring: [2, 0],
      lineage: [
        { parents: [0, 1], crossover: true, mutated: [] },
        { parents: [0, 0], crossover: false, mutated: [] },
      ],
      pool: [0, 1, 2, 0],
    }),
    evaluated('1011', 0.875),
    line({
      ...base,
      t: 2,
      best: 3,
      parents: [3, 1],
      offspring: [3],
      lineage: [{ parents: [1, 0], crossover: false, mutated: [1] }],
      pool: [1, 2, 3],
    }),
  ];
  for (const one of lines) run.add(one);
  return run;
}

describe('RunModel', () => {
  it('has the best of all individuals, and that of the last closed generation', () => {
    const run = model();
    expect(run.leader?.mask).toBe('1011');
    run.add(evaluated('0000', 0.9));
    expect([run.leader?.mask, run.best?.mask]).toEqual(['0000', '1011']);
    expect(run.imagesTrained).toBe(50);
  });
});

describe('births', () => {
  it('are a genome’s first, with parents counted in the population that begins the pool', () => {
    const births = birthsOf(model());
    expect(births.get('1111')).toMatchObject({ t: 1, parents: ['1100', '0011'], crossover: true });
    expect(births.get('1100')).toEqual({ mask: '1100', t: 0 });
    expect(births.get('1011')).toMatchObject({ t: 2, parents: ['1111', '0011'], mutated: [1] });
  });

  it('ancestry goes back to the first generation and names everyone once', () => {
    const found = ancestry(birthsOf(model()), '1011').map(({ mask }) => mask);
    expect(found[0]).toBe('1011');
    expect(found.toSorted()).toEqual(['0011', '1011', '1100', '1111']);
  });

  it('a bit comes from the parent that has it, from either, or from mutation', () => {
    const birth = birthsOf(model()).get('1011');
    if (!birth) throw new Error('not born');
    expect([0, 1, 2, 3].map((bit) => originOf(birth, bit))).toEqual([
      'first parent',
      'mutation',
      'either parent',
      'either parent',
    ]);
  });
});

it('keptShares: the share of the survivors whose bit is 1', () => {
  expect(keptShares(model(), 4)).toEqual([
    [0.5, 0.5, 0.5, 0.5],
    [0.5, 0.5, 1, 1],
    [0.5, 0, 1, 1],
  ]);
});

it('bestSoFar: each improvement, and the end', () => {
  expect(bestSoFar(model()).map(({ evaluated: n, accuracy }) => [n, accuracy])).toEqual([
    [1, 0.5],
    [2, 0.75],
    [4, 0.875],
  ]);
});

it('fiveNumbers: as numpy.percentile has them', () => {
  expect(fiveNumbers([4, 1, 3, 2])).toEqual({ least: 1, lower: 1.75, median: 2.5, upper: 3.25, greatest: 4 });
  expect(fiveNumbers([7])).toEqual({ least: 7, lower: 7, median: 7, upper: 7, greatest: 7 });
});

describe('curves', () => {
  it('an individual’s goes on where alpha ended', () => {
    const run = model();
    run.add(
      line({
        type: 'alpha',
        accuracy: 0.5,
        curve: [
          { epoch: 1, trainLoss: 1, accuracy: 0.25 },
          { epoch: 2, trainLoss: 1, accuracy: 0.5 },
        ],
        weights: 'a'.repeat(64),
        imagesTrained: 20,
      }),
    );
    const [alpha, first] = curvesOf(run, null);
    expect([[...(alpha?.epochs ?? [])], [...(first?.epochs ?? [])]]).toEqual([
      [1, 2],
      [2, 3],
    ]);
    expect(first?.accuracies[0]).toBe(0.5);
  });

  it('the nearest is found between its points too, and none out of reach', () => {
    const curves = curvesOf(model(), null).map((curve, i) => ({
      ...curve,
      epochs: Float32Array.of(0, 100),
      accuracies: Float32Array.of(10 * i, 10 * i),
    }));
    const same = (value: number) => value;
    expect(nearestCurve(curves, { x: 50, y: 19 }, same, same, 5)?.number).toBe(2);
    expect(nearestCurve(curves, { x: 50, y: 90 }, same, same, 5)).toBeUndefined();
  });
});
