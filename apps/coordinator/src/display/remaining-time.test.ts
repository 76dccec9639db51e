import { expect, test } from 'vitest';
import { job, progress, run, story } from './example-run.fixture.js';
import { remainingTime } from './remaining-time.js';
import { advance, initialState, type ViewState } from './view-state.js';

/** The example run up to and with the events of a moment, given in milliseconds. */
function stateAt(moment: number): ViewState {
  return story
    .filter(([at]) => at <= moment)
    .reduce((state, [at, event]) => advance(state, event, at), initialState(0));
}

test('remainingTime: unknown before anything was measured', () => {
  expect(remainingTime(stateAt(1_100), 1_100)).toBeUndefined();
});

test("remainingTime: while alpha trains, its epochs left and all generations at alpha's speed", () => {
  // 540 images/s: an epoch of 5,400 takes 10 s, a retraining of 2 epochs 20 s, 3 individuals on 2 workers 2 rounds.
  expect(remainingTime(stateAt(11_000), 11_000)).toBe(10_000 + 2 * 2 * 20_000);
  expect(remainingTime(stateAt(11_000), 14_000)).toBe(7_000 + 2 * 2 * 20_000);
});

test('remainingTime: without the epochs of a retraining nothing is said until one is done', () => {
  const { retrainEpochs: _, ...unknown } = run;
  expect(remainingTime({ ...stateAt(11_000), run: unknown }, 11_000)).toBeUndefined();
  expect(remainingTime({ ...stateAt(42_000), run: unknown }, 42_000)).toBeDefined();
});

test('remainingTime: individuals under way count for what is left of them', () => {
  const state = stateAt(22_000);
  // Both workers have begun, one more waits: 60 s of work on 2 workers, then a generation of 2 rounds.
  expect(remainingTime(state, 22_000)).toBeCloseTo(30_000 + 40_000);
  expect(remainingTime(state, 32_000)).toBeCloseTo(20_000 + 40_000);
});

test('remainingTime: the last individual is not divided among the workers', () => {
  let state = stateAt(63_000);
  state = advance(state, { type: 'job-done', job: job('11111'), worker: 'w-2', accuracy: 0.9, seconds: 10 }, 70_000);
  state = advance(state, { type: 'job-started', job: job('11000'), worker: 'w-1' }, 70_000);
  // Four were measured: 20, 20, 10 and 10 s.
  expect(remainingTime(state, 70_000)).toBeCloseTo(15_000);
});

test('remainingTime: a job that takes longer than expected stays almost done, never less than nothing', () => {
  let state = stateAt(63_000);
  state = advance(state, { type: 'job-started', job: job('11000'), worker: 'w-1' }, 63_000);
  state = advance(state, { type: 'job-progress', job: job('11000'), worker: 'w-1', progress: progress(2, 2) }, 999_000);
  const left = remainingTime(state, 999_000);
  expect(left).toBeGreaterThan(0);
});

test('remainingTime: nothing is said of the final measurements or of a finished run', () => {
  expect(remainingTime(stateAt(71_000), 71_000)).toBeUndefined();
  expect(remainingTime(stateAt(75_400), 75_400)).toBeUndefined();
});
