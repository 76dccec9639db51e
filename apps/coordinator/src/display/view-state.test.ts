import { expect, test } from 'vitest';
import type { RunEvent } from '../run-events.js';
import { job, progress, run } from './example-run.fixture.js';
import { advance, initialState } from './view-state.js';

function stateAfter(events: readonly RunEvent[]) {
  return events.reduce((state, event, index) => advance(state, event, 1_000 * index), initialState(0));
}

const generation: RunEvent = { type: 'phase', phase: { name: 'generation', t: 1, of: 3 }, total: 3, answered: 0 };
const started = (mask: string, worker: string): RunEvent => ({ type: 'job-started', job: job(mask), worker });
const done = (mask: string, worker: string, accuracy: number): RunEvent => ({
  type: 'job-done',
  job: job(mask),
  worker,
  accuracy,
  seconds: 1,
});

test('advance: a job is shown at one worker, the one it was last heard of', () => {
  const state = stateAfter([generation, started('110', 'a'), started('110', 'b')]);
  expect([...state.workers].map(([name, active]) => [name, active?.job.text])).toEqual([
    ['a', undefined],
    ['b', '110'],
  ]);
});

test('advance: a worker whose job is retried is forgotten until it takes another', () => {
  const retried = [generation, started('110', 'a'), { type: 'job-retried', job: job('110'), reason: 'gone' }] as const;
  expect(stateAfter(retried).workers.size).toBe(0);
  expect([...stateAfter([...retried, started('011', 'a')]).workers.keys()]).toEqual(['a']);
});

test('advance: progress alone is enough to know who works on what (the start may have been lost)', () => {
  const state = stateAfter([
    generation,
    { type: 'job-progress', job: job('110'), worker: 'a', progress: progress(1, 4) },
  ]);
  expect(state.workers.get('a')?.report?.progress.epoch).toBe(1);
});

test('advance: a new phase finds every worker waiting', () => {
  const state = stateAfter([generation, started('110', 'a'), generation]);
  expect([...state.workers]).toEqual([['a', undefined]]);
});

test('advance: the best so far never falls, though the leader may leave the population', () => {
  const closed: RunEvent = {
    type: 'generation-closed',
    t: 1,
    bestAccuracy: 0.7,
    bestMask: '000',
    nabla: 0.1,
    suppressed: 1,
  };
  const state = stateAfter([generation, done('110', 'a', 0.8), done('011', 'a', 0.75), closed]);
  expect(state.best).toEqual({ accuracy: 0.8, mask: '110' });
});

test('advance: the accuracies of alpha and of the final measurements do not count as individuals', () => {
  const alpha: RunEvent = { type: 'phase', phase: { name: 'alpha' }, total: 1, answered: 0 };
  const test: RunEvent = { type: 'phase', phase: { name: 'test' }, total: 2, answered: 0 };
  const state = stateAfter([alpha, done('alpha', 'a', 0.9), test, done('test of best', 'a', 0.95)]);
  expect(state.best).toBeUndefined();
  expect(state.retrained.count).toBe(0);
  expect(state.alpha).toEqual({ epoch: 0, epochs: 0, accuracy: 0.9, reused: false });
});

test('advance: preparations end when the run opens', () => {
  const preparing: RunEvent = { type: 'preparing', what: 'reading', fraction: 0.5 };
  expect(stateAfter([preparing]).preparing).toEqual({ what: 'reading', fraction: 0.5 });
  expect(stateAfter([preparing, { type: 'opened', run }]).preparing).toBeUndefined();
});

test('advance: the old state stays as it was', () => {
  const before = stateAfter([generation, started('110', 'a')]);
  const copy = structuredClone(before);
  advance(before, done('110', 'a', 0.8), 5);
  expect(before).toEqual(copy);
});
