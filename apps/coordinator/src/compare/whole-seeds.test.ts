import type { Fact } from '@nesgd/core/run';
import { describe, expect, it } from 'vitest';
import { wholeSeeds } from './whole-seeds.js';

const finished: Fact = {
  type: 'finished',
  best: { mask: '11', accuracy: 0.9, testAccuracy: 0.9, weights: 'a'.repeat(64) },
  alpha: null,
  generations: 1,
  evaluations: 4,
  cacheHits: 0,
  epochsTrained: 4,
  imagesTrained: 400,
};
const diverged: Fact = { type: 'diverged', what: 'search', reason: 'too fast' };

/** `a1 b1`: what became of contender a's seed 1, and b's. */
const attempts = (plan: Readonly<Record<string, Fact | undefined>>) =>
  Object.entries(plan).map(([runId, fact]) => ({
    contender: runId.charAt(0),
    seed: Number(runId.slice(1)),
    runId,
    facts: fact ? [fact] : [],
  }));
const idsOf = ({ runs }: ReturnType<typeof wholeSeeds>) => runs.map(({ runId }) => runId);

describe('wholeSeeds', () => {
  it('takes the seeds that all have finished, seed by seed, and has nothing to note', () => {
    const plan = { a1: finished, b1: finished, a2: finished, b2: undefined, a3: finished, b3: finished };
    const whole = wholeSeeds(attempts(plan));
    expect(idsOf(whole)).toEqual(['a1', 'b1', 'a3', 'b3']);
    expect(whole.notes).toEqual([]);
  });

  it('leaves a seed out for all with which one diverged, and says whom that flatters', () => {
    const whole = wholeSeeds(attempts({ a1: finished, b1: diverged, a2: finished, b2: finished }));
    expect(idsOf(whole)).toEqual(['a2', 'b2']);
    expect(whole.notes).toEqual([
      'b diverged with 1 of 2 seeds (1), which are left out for every method: it looks better here than it is. too fast',
    ]);
  });

  it('leaves out a method that diverged with every seed, and compares the others', () => {
    const plan = { a1: finished, b1: diverged, c1: finished, a2: finished, b2: diverged, c2: finished };
    const whole = wholeSeeds(attempts(plan));
    expect(idsOf(whole)).toEqual(['a1', 'c1', 'a2', 'c2']);
    expect(whole.notes).toEqual(['b diverged with every seed and is left out: too fast']);
  });

  it('has no runs where no seed is whole', () => {
    expect(idsOf(wholeSeeds(attempts({ a1: diverged, b1: finished, a2: finished, b2: diverged })))).toEqual([]);
    expect(idsOf(wholeSeeds(attempts({ a1: diverged, b1: diverged })))).toEqual([]);
  });
});
