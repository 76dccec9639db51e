import { InputError } from '@nesgd/core/errors';
import { parseExperiment } from '@nesgd/core/run';
import { describe, expect, it } from 'vitest';
import { comparedRunId, contendersOf, earlierRunId } from './contenders.js';

const experiment = (name: string, changes: Record<string, unknown> = {}) =>
  parseExperiment(
    {
      name,
      seed: 1,
      dataset: { name: 'mnist' },
      model: { name: 'resnet8' },
      alpha: { epochs: 1, learningRate: 0.1 },
      retrain: { epochs: 1, learningRateRetained: 0.01, learningRateReinitialised: 0.1 },
      evolution: { populationSize: 4, generations: 2 },
      ...changes,
    },
    'the test',
  );

describe('contendersOf', () => {
  it('of one file: every method, on the same budget', () => {
    const contenders = contendersOf([experiment('x')], undefined, 1000);
    expect(contenders.map(({ name }) => name)).toEqual([
      'ne-sgd',
      'ne-sgd-without-suppression',
      'random-masks',
      'sgd',
      'sgd-restarts',
      'esgd',
      'pbt',
    ]);
    expect(contenders.every((contender) => contender.experiment.budget === 1000)).toBe(true);
    const suppression = contenders.slice(0, 2).map((contender) => contender.experiment.evolution.suppression);
    expect(suppression).toEqual([true, false]);
  });

  it('of several files: each its own method, called by the experiment; with --methods those, in each', () => {
    const files = [experiment('a'), experiment('b', { method: { name: 'pbt' } })];
    const own = contendersOf(files, undefined, 1000);
    expect(own.map(({ name, experiment: e }) => [name, e.method.name])).toEqual([
      ['a', 'ne-sgd'],
      ['b', 'pbt'],
    ]);
    const named = contendersOf(files, 'sgd, esgd', 1000).map(({ name }) => name);
    expect(named).toEqual(['a/sgd', 'a/esgd', 'b/sgd', 'b/esgd']);
  });

  it('refuses a method that is none, and two files of one name', () => {
    expect(() => contendersOf([experiment('a')], 'sgd,adam', 1)).toThrow(InputError);
    expect(() => contendersOf([experiment('a')], 'sgd,adam', 1)).toThrow(/"adam" is none of ne-sgd, /);
    expect(() => contendersOf([experiment('a'), experiment('a')], undefined, 1)).toThrow(/called a/);
  });

  it('refuses fitness on the test set in any of the files, and says what to set', () => {
    const paper = experiment('paper', { fitness: 'test', dataset: { name: 'mnist', validationFraction: 0 } });
    const both = '--set fitness=validation --set dataset.validationFraction=0.1)';
    expect(() => contendersOf([experiment('a'), paper], undefined, 1)).toThrow(InputError);
    expect(() => contendersOf([experiment('a'), paper], undefined, 1)).toThrow('paper: fitness is test, ');
    expect(() => contendersOf([paper], 'sgd', 1)).toThrow(both);
    expect(() => contendersOf([experiment('a', { fitness: 'test' })], 'sgd', 1)).toThrow('--set fitness=validation)');
  });

  it('refuses a method whose keys the file lacks, and one that cannot take an alpha from a file', () => {
    const alone = experiment('a', { retrain: undefined, evolution: undefined, method: { name: 'sgd' } });
    expect(contendersOf([alone], 'sgd,pbt', 1)).toHaveLength(2);
    expect(() => contendersOf([alone], 'sgd,ne-sgd', 1)).toThrow(
      /^a with method ne-sgd is not a valid experiment:\n {2}retrain.epochs: is missing/,
    );
    const given = experiment('a', { alpha: { from: '/a.safetensors' } });
    expect(() => contendersOf([given], 'ne-sgd,sgd', 1)).toThrow(/a with method sgd .*\n.*alpha.from: names a file/);
  });
});

describe('comparedRunId', () => {
  const runtime = { engine: 'wasm', threads: 1 } as const;
  const [first] = contendersOf([experiment('x')], 'ne-sgd', 1000);

  it('is the same for the same run and another for any other seed, setting, budget or engine', () => {
    const id = comparedRunId(first!, runtime);
    expect(id).toMatch(/^compare-x-ne-sgd-s1-[0-9a-f]{10}$/);
    expect(comparedRunId(contendersOf([experiment('x')], 'ne-sgd', 1000)[0]!, runtime)).toBe(id);
    const others = [
      comparedRunId(contendersOf([experiment('x')], 'ne-sgd', 1001)[0]!, runtime),
      comparedRunId(contendersOf([experiment('x')], 'ne-sgd-without-suppression', 1000)[0]!, runtime),
      comparedRunId(contendersOf([experiment('x', { seed: 2 })], 'ne-sgd', 1000)[0]!, runtime),
      comparedRunId(first!, { engine: 'tensorflow', threads: 1 }),
    ];
    expect(new Set([id, ...others]).size).toBe(5);
  });

  it('is found again under the other name that its contender had among several files; another seed is not', () => {
    const [amongOthers] = contendersOf([experiment('x'), experiment('y')], undefined, 1000);
    const id = comparedRunId(amongOthers!, runtime);
    expect(id).not.toBe(comparedRunId(first!, runtime));
    const others = [
      'x-20260131',
      comparedRunId(contendersOf([experiment('x', { seed: 2 })], 'ne-sgd', 1000)[0]!, runtime),
    ];
    expect(earlierRunId([...others, id], first!, runtime)).toBe(id);
    expect(earlierRunId(others, first!, runtime)).toBeUndefined();
  });

  it('is short enough for a folder, however long the names', () => {
    const long = contendersOf([experiment('n'.repeat(64))], 'ne-sgd-without-suppression', 1)[0]!;
    expect(comparedRunId(long, runtime).length).toBeLessThanOrEqual(100);
  });
});
