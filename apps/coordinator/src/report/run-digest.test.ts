import type { OpenedFact } from '@nesgd/core/run';
import { describe, expect, it } from 'vitest';
import { exampleDigest, exampleJournal, exampleRival } from './example-journal.fixture.js';
import { digestOf } from './run-digest.js';

describe('digestOf', () => {
  it('counts what the finished fact counts', async () => {
    const lines = await exampleJournal();
    const finished = lines.at(-1)!.fact;
    if (finished.type !== 'finished') throw new Error('the example is finished');
    const { spent, best, test, state } = digestOf(lines, lines[0]!.fact as OpenedFact, false);
    expect(state).toBe('finished');
    expect(spent).toMatchObject({
      evaluations: finished.evaluations,
      cacheHits: finished.cacheHits,
      epochsTrained: finished.epochsTrained,
      imagesTrained: finished.imagesTrained,
      workers: ['worker-0', 'worker-1'],
      engines: ['an engine 1.2'],
      startedAt: lines[0]!.meta.at,
      lastFactAt: lines.at(-1)!.meta.at,
    });
    expect(spent.cacheHits, 'or the test above would not see it').toBeGreaterThan(0);
    expect(best).toEqual({ label: finished.best.mask, accuracy: finished.best.accuracy });
    expect(test).toEqual({ alpha: finished.alpha?.testAccuracy, best: finished.best.testAccuracy });
  });

  it('knows the generation that each individual was measured for; of an open one it says none', async () => {
    const lines = await exampleJournal({ until: (fact) => fact.type === 'generation' && fact.t === 1 });
    const open = { ...lines[2]!, seq: lines.length };
    const { individuals, generations } = digestOf([...lines, open], lines[0]!.fact as OpenedFact, true);
    const initial = new Set(generations[0]!.parents.map(({ mask }) => mask.join('')));
    for (const { label, t } of individuals.slice(0, -1)) expect(t).toBe(initial.has(label) ? 0 : 1);
    expect(individuals.at(-1)!.t).toBeUndefined();
  });

  it.each([
    ['sgd', [0, 0, 0, 0]],
    ['sgd-restarts', [4, 4, 4, 4]],
    ['pbt', [0, 0, 2, 2]],
    ['esgd', [0, 0, 2, 2]],
  ] as const)(
    '%s: has its trainings, where each began, what was left after each step, and the best',
    async (method, begun) => {
      const run = await exampleRival(method);
      expect(run.individuals.map(({ label, t }) => [label, t])).toEqual([
        ['a-1', 1],
        ['a-2', 1],
        ['b-1', 2],
        ['b-2', 2],
      ]);
      expect(run.individuals.map(({ epochsBefore }) => epochsBefore)).toEqual(begun);
      expect(run.populations.map(({ t, members }) => [t, members.map(({ label }) => label)])).toEqual([
        [1, ['a-1', 'a-2']],
        [2, ['b-1', 'a-2']],
      ]);
      expect(run.best).toEqual({ label: 'b-1', accuracy: 0.94 });
      expect(run.alpha === undefined).toBe(method !== 'sgd-restarts');
      expect(run.generations).toEqual([]);
    },
  );

  it('takes the leader of the last closed generation while a run goes on', async () => {
    const { best, generations, state, test } = await exampleDigest({
      until: (fact) => fact.type === 'generation' && fact.t === 1,
    });
    expect(state).toBe('stopped');
    expect(best?.accuracy).toBe(generations.at(-1)!.best.fitness);
    expect(test).toEqual({ alpha: undefined, best: undefined });
  });
});
