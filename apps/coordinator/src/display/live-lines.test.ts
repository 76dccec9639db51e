import { expect, test } from 'vitest';
import type { RunEvent } from '../run-events.js';
import { job, progress, run, story } from './example-run.fixture.js';
import { lineWidth, printLine } from './line.js';
import { liveLines, type ScreenSize } from './live-lines.js';
import { advance, initialState, type ViewState } from './view-state.js';

const screen: ScreenSize = { columns: 99, rows: 24 };

function drawn(state: ViewState, now: number, size = screen): string[] {
  return liveLines(state, size, now).map((line) => printLine(line, false));
}

function bar(cells: number, filled: number): string {
  return '━'.repeat(filled) + '─'.repeat(cells - filled);
}

function stateAt(moment: number): ViewState {
  return story
    .filter(([at]) => at <= moment)
    .reduce((state, [at, event]) => advance(state, event, at), initialState(0));
}

test('liveLines: preparations show how far they are', () => {
  expect(drawn(stateAt(200), 200)).toEqual([
    'reading data set mnist  ━━━━━━━━━━━━━━━━━━━━────────────────────  50%',
    'elapsed 0s',
  ]);
});

test('liveLines: alpha in training, with its worker and an estimate of the whole run', () => {
  expect(drawn(stateAt(11_000), 11_000)).toEqual([
    'example-1  mnist  resnet8, 5 blocks  tensorflow  2 workers  redis://127.0.0.1:6379',
    'alpha             ━━━━━━━━━━━━━━━━━━━━────────────────────  1/2 epochs',
    '  w-1  alpha  ━━━━━━━━━━━━━━━━━━━━────────────────────  1/2   loss 0.2500  540 images/s',
    'elapsed 11s, about 1m 30s left',
  ]);
});

test('liveLines: a generation with the best so far against alpha, one line a worker', () => {
  const state = advance(
    stateAt(63_000),
    { type: 'job-progress', job: job('11000'), worker: 'w-2', progress: progress(1, 2) },
    63_000,
  );
  expect(drawn(state, 64_000)).toEqual([
    'example-1  mnist  resnet8, 5 blocks  tensorflow  2 workers  redis://127.0.0.1:6379',
    'alpha             ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━  2/2 epochs   accuracy 0.9700',
    'generation 1/1    ━━━━━━━━━━────────────────────  1/3   best 0.9800 +0.0100 on alpha   nabla 0.0800',
    '  w-1  waiting',
    `  w-2  11000  ${bar(35, 17)}  1/2   loss 0.2500  accuracy 0.9500  540 images/s`,
    'elapsed 1m 04s, about 13s left',
  ]);
});

test('liveLines: a round is called as its method calls it', () => {
  const events: RunEvent[] = [
    { type: 'opened', run: { ...run, method: 'pbt' } },
    { type: 'phase', phase: { name: 'generation', t: 2, of: 20 }, total: 5, answered: 0 },
  ];
  const state = events.reduce((s, event) => advance(s, event, 0), initialState(0));
  expect(drawn(state, 0)[1]).toBe(`step 2/20         ${bar(40, 0)}  0/5`);
});

test('liveLines: an alpha known already has a full bar', () => {
  const state = advance(stateAt(1_000), { type: 'alpha-reused', accuracy: 0.97 }, 1_000);
  expect(drawn(state, 1_000)[1]).toBe(`alpha             ${bar(40, 40)}  known already   accuracy 0.9700`);
});

test('liveLines: workers stand in the order of their numbers, and those beyond the screen are counted', () => {
  const names = Array.from({ length: 30 }, (_, i) => `w-${i + 1}`);
  const events: RunEvent[] = names.map((worker) => ({ type: 'job-started', job: job(`m${worker}`), worker }));
  const state = events.reduce((s, event) => advance(s, event, 70_000), stateAt(63_000));
  const lines = drawn(state, 71_000, { columns: 99, rows: 12 });
  expect(lines).toHaveLength(11);
  expect(lines.slice(3, 6).map((line) => line.trim().split(' ')[0])).toEqual(['w-1', 'w-2', 'w-3']);
  expect(lines.at(-2)).toBe('  and 24 workers more, 24 at work');
});

test('liveLines: never wider than the screen, never as tall, whatever its size', () => {
  const long: RunEvent = {
    type: 'job-progress',
    job: job('10'.repeat(40)),
    worker: '工'.repeat(30),
    progress: progress(1, 300),
  };
  const states = [100, 11_000, 42_000, 63_000, 71_000].map((moment) => advance(stateAt(moment), long, moment));
  for (const state of states) {
    for (let columns = 1; columns <= 140; columns++) {
      const rows = 2 + (columns % 30);
      const lines = liveLines(state, { columns, rows }, 80_000);
      expect(Math.max(...lines.map(lineWidth))).toBeLessThanOrEqual(columns);
      expect(lines.length).toBeLessThan(rows);
    }
  }
});

test('liveLines: long masks are shortened to their ends', () => {
  const mask = `${'1'.repeat(60)}000000`;
  const state = advance(stateAt(63_000), { type: 'job-started', job: job(mask), worker: 'w-1' }, 63_000);
  expect(drawn(state, 63_000)[3]).toBe('  w-1  111111111111…111111000000 (60/66 kept)  starting');
});

test('liveLines: nothing before the first event and nothing after the end', () => {
  expect(drawn(initialState(0), 0)).toEqual([]);
  expect(drawn(stateAt(75_400), 75_400)).toEqual([]);
});

test('liveLines: the header names the run', () => {
  expect(drawn(advance(initialState(0), { type: 'opened', run }, 0), 0)[0]).toContain('example-1');
});
