import { liveStatusSchema } from '@nesgd/core/view';
import { describe, expect, it } from 'vitest';
import { job, progress, run, story } from '../display/example-run.fixture.js';
import { LiveState } from './live-state.js';

function after(milliseconds: number): LiveState {
  const state = new LiveState(0);
  for (const [at, event] of story) if (at <= milliseconds) state.watch(event, at);
  return state;
}

describe('LiveState', () => {
  it('says nothing before the run exists, then always what its schema allows', () => {
    expect(after(999).status(999)).toBeUndefined();
    for (const [at] of story.filter(([time]) => time >= 1_000))
      expect(liveStatusSchema.parse(after(at).status(at))).toEqual(after(at).status(at));
  });

  it('has each epoch of a job under way, and forgets the job when it is done', () => {
    const curve = (at: number) =>
      after(at)
        .status(at)
        ?.active.map(({ text, curve }) => [text, curve.length]);
    expect(curve(11_000)).toEqual([['alpha', 1]]);
    expect(curve(21_000)).toEqual([['alpha', 2]]);
    expect(curve(21_500)).toEqual([]);
    expect(curve(32_000)).toEqual(
      [
        ['00011', 0],
        ['11011', 1],
      ]
        .toSorted()
        .toReversed(),
    );
  });

  it('counts jobs so that waiting, active and done add up to all', () => {
    const { jobs } = after(33_000).status(33_000) ?? {};
    expect(jobs).toEqual({ total: 3, done: 0, active: 1, waiting: 2, answered: 0, retried: 1 });
  });

  it('a job that is done again by another worker starts over, and counts against the one that lost it', () => {
    const state = after(33_000);
    state.watch({ type: 'job-progress', job: job('00011'), worker: 'w-1', progress: progress(1, 2) }, 40_000);
    const { active, workers, log } = state.status(40_000) ?? {};
    expect(active?.find(({ id }) => id === '00011')).toMatchObject({ worker: 'w-1', curve: [{ epoch: 1 }] });
    expect(workers?.find(({ name }) => name === 'w-2')).toMatchObject({ job: null, failures: 1 });
    expect(log?.at(-1)).toMatchObject({ kind: 'retry', text: '00011: worker w-2 went silent' });
  });

  it('keeps the last 200 notices', () => {
    const state = new LiveState(0);
    state.watch({ type: 'opened', run }, 0);
    for (let i = 0; i < 250; i++) state.watch({ type: 'notice', text: `notice ${i}` }, i);
    expect(state.status(250)?.log.map(({ text }) => text)).toEqual(
      Array.from({ length: 200 }, (_, i) => `notice ${i + 50}`),
    );
  });
});
