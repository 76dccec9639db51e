import { type Fact, parseExperiment } from '@nesgd/core/run';
import { describe, expect, it } from 'vitest';
import { comparisonOf } from './comparison.js';
import { comparisonTables } from './comparison-tables.js';

const SHA = 'a'.repeat(64);
const trained = (round: number, accuracy: number): Fact => ({
  type: 'trained',
  round,
  id: `${round}-${accuracy}`,
  accuracy,
  curve: [],
  weights: null,
  imagesTrained: 100,
});
const evaluated = (mask: string, accuracy: number): Fact => ({
  type: 'evaluated',
  mask,
  repeat: 0,
  accuracy,
  curve: [],
  weights: null,
  imagesTrained: 100,
});
const finished = (accuracy: number, testAccuracy: number, imagesTrained: number): Fact => ({
  type: 'finished',
  best: { mask: '11', accuracy, testAccuracy, weights: SHA },
  alpha: null,
  generations: 1,
  evaluations: 4,
  cacheHits: 0,
  epochsTrained: 4,
  imagesTrained,
});
const generation: Fact = {
  type: 'generation',
  t: 0,
  parents: [],
  best: { mask: [1, 1], fitness: 0.6 },
  nabla: 0,
  offspring: [],
  lineage: [],
  pool: [],
  clusters: [],
  suppressed: [],
};
const alpha: Fact = { type: 'alpha', accuracy: 0.9, curve: [], weights: SHA, imagesTrained: 100 };

const run = (contender: string, runId: string, facts: Fact[]) => ({ contender, runId, facts });
const runs = [
  run('a', 'a1', [trained(1, 0.5), trained(1, 0.7), trained(2, 0.6), trained(2, 0.8), finished(0.8, 0.75, 400)]),
  run('b', 'b1', [
    alpha,
    evaluated('10', 0.4),
    evaluated('11', 0.6),
    generation,
    evaluated('01', 0.7),
    finished(0.7, 0.65, 400),
  ]),
  run('a', 'a2', [trained(1, 0.6), trained(1, 0.5), finished(0.6, 0.6, 200)]),
  run('b', 'b2', [alpha, evaluated('10', 0.5), generation, finished(0.5, 0.5, 200)]),
];

describe('comparisonOf', () => {
  const { methods, pairs, reach } = comparisonOf(runs, 400);
  const at = (method: number, imagesSeen: number) =>
    methods[method]!.bestSoFar.find((point) => point.imagesSeen === imagesSeen)?.mean;

  it('gives each method’s means over its seeds', () => {
    expect(methods.map(({ name, seeds, imagesSeen, runs: of }) => ({ name, seeds, imagesSeen, of }))).toEqual([
      { name: 'a', seeds: 2, imagesSeen: 300, of: ['a1', 'a2'] },
      { name: 'b', seeds: 2, imagesSeen: 300, of: ['b1', 'b2'] },
    ]);
    expect(methods[0]!.validationAccuracy.mean).toBeCloseTo(0.7, 12);
    expect(methods[1]!.testAccuracy).toMatchObject({ low: 0.5, high: 0.65 });
  });

  it('pairs seed with seed: the difference of test accuracies, first less second', () => {
    expect(pairs).toHaveLength(1);
    expect(pairs[0]).toMatchObject({ a: 'a', b: 'b', p: 0.5 });
    expect(pairs[0]!.difference).toBeCloseTo(0.1, 12);
    expect(pairs[0]!.low).toBeCloseTo(0.1, 12);
  });

  it('says for every two methods, in either order, when one reaches what the other ends with', () => {
    expect(reach.map(({ a, b, ratio }) => [a, b, ratio])).toEqual([
      ['a', 'a', 1],
      ['a', 'b', 0.5], // b ends with 0.6 on average, and a has 0.65 after 200 of 400 images.
      ['b', 'a', null],
      ['b', 'b', 1],
    ]);
  });

  it('best so far counts what a round cost when it is over, alpha’s images, and not alpha’s accuracy', () => {
    expect(at(0, 180)).toBeUndefined();
    expect(at(0, 200)).toBeCloseTo((0.7 + 0.6) / 2, 12);
    expect(at(0, 400)).toBeCloseTo((0.8 + 0.6) / 2, 12);
    expect(at(1, 200)).toBeUndefined(); // b1's first generation ends at 300.
    expect(at(1, 300)).toBeCloseTo((0.6 + 0.5) / 2, 12);
    expect(at(1, 400)).toBeCloseTo((0.7 + 0.5) / 2, 12);
  });
});

it('comparisonOf: notes which figures depend on timing: those of steady-state evolution alone', () => {
  const opened = (name: string): Fact =>
    ({
      type: 'opened',
      experiment: parseExperiment(
        {
          name: 'x',
          seed: 1,
          dataset: { name: 'mnist' },
          model: { name: 'resnet8' },
          alpha: { epochs: 1, learningRate: 0.1 },
          retrain: { epochs: 1, learningRateRetained: 0.01, learningRateReinitialised: 0.1 },
          evolution: { steadyStateLag: 3 },
          method: { name },
        },
        'the test',
      ),
    }) as unknown as Fact;
  const of = (name: string) =>
    runs.map((r) => ({ ...r, facts: [opened(r.contender === 'a' ? 'sgd' : name), ...r.facts] }));
  expect(comparisonOf(of('random-masks'), 400).notes).toEqual([]);
  const { notes } = comparisonOf(of('ne-sgd'), 400);
  expect(notes).toEqual([
    expect.stringMatching(/^b is steady-state evolution: .* up to 3 retrainings .* depend on timing/),
  ]);
  const tables = comparisonTables(comparisonOf(of('ne-sgd'), 400));
  expect(tables.find(({ caption }) => caption.startsWith('Images needed'))!.notes).toEqual(notes);
});
