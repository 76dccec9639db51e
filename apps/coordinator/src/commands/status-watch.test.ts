import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunFolder } from '@nesgd/core/run';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { evaluated, newRun } from '../serve/example-run.fixture.js';
import { watchStatus } from './status-watch.js';

let runs: string;
let run: RunFolder;

beforeEach(async () => {
  runs = await mkdtemp(join(tmpdir(), 'nesgd-watch-'));
  run = await newRun(runs, 'watched');
});
afterEach(async () => {
  await run.close();
  await rm(runs, { recursive: true });
});

function recorder(isTTY: boolean) {
  const written: string[] = [];
  return { written, isTTY, columns: 100, rows: 12, write: (text: string) => written.push(text) };
}

it('status --watch --json: a line for each change, until nobody works on the run any more', async () => {
  const stdout = recorder(false);
  const signal = new AbortController().signal;
  const watching = watchStatus({ runsFolder: runs, runId: 'watched', json: true, stdout, signal });
  await expect.poll(() => stdout.written.length).toBe(1);
  await run.journal.append(evaluated('10', 0.5));
  await expect.poll(() => stdout.written.length, { timeout: 30_000 }).toBe(2);
  await run.close();
  await watching;
  const values = stdout.written.map((text) => JSON.parse(text));
  expect(values.map(({ state, evaluated: count }) => [state, count])).toEqual([
    ['running', 0],
    ['running', 1],
    ['stopped', 1],
  ]);
});

it('status --watch: on a terminal it draws no more lines than there are, and gives the cursor back when stopped', async () => {
  const stdout = recorder(true);
  const stop = new AbortController();
  const watching = watchStatus({ runsFolder: runs, json: false, stdout, signal: stop.signal });
  await expect.poll(() => stdout.written.join('')).toContain('watched');
  stop.abort();
  await watching;
  expect(stdout.written.at(-1)).toBe('\x1b[?25h');

  const small = recorder(true);
  await run.close();
  await watchStatus({
    runsFolder: runs,
    runId: 'watched',
    json: false,
    stdout: small,
    signal: new AbortController().signal,
  });
  expect(small.written[0]?.split('\n').length).toBeLessThanOrEqual(12);
});

it('status --watch: refuses a run that is not there', async () => {
  const watching = watchStatus({
    runsFolder: runs,
    runId: 'nothing',
    json: false,
    stdout: recorder(false),
    signal: new AbortController().signal,
  });
  await expect(watching).rejects.toMatchObject({ code: 'RUN_UNKNOWN' });
});
