import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunFolder } from '@nesgd/core/run';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { evaluated, newRun } from '../serve/example-run.fixture.js';
import { RunList } from './run-list.js';

let runs: string;
let run: RunFolder;
beforeEach(async () => {
  runs = await mkdtemp(join(tmpdir(), 'nesgd-list-'));
  run = await newRun(runs, 'growing');
});
afterEach(async () => {
  await run.close();
  await rm(runs, { recursive: true });
});

it('RunList: read again and again it says what a list read for the first time says', async () => {
  const list = new RunList(runs);
  const accuracies = [0.25, 0.75, 0.5];
  for (const [i, accuracy] of accuracies.entries()) {
    await run.journal.append(evaluated(['10', '01', '11'][i] ?? '', accuracy));
    expect(await list.read()).toEqual(await new RunList(runs).read());
  }
  expect(await list.read()).toMatchObject([{ runId: 'growing', state: 'running', bestAccuracy: 0.75 }]);
  await run.close();
  expect(await list.read()).toMatchObject([{ state: 'stopped', bestAccuracy: 0.75 }]);
});

it('RunList: two who ask at once get one answer, and the next is right too', async () => {
  const list = new RunList(runs);
  await list.read();
  await run.journal.append(evaluated('10', 0.5));
  const [first, second] = await Promise.all([list.read(), list.read()]);
  expect(first).toBe(second);
  await run.journal.append(evaluated('01', 0.75));
  expect(await list.read()).toMatchObject([{ bestAccuracy: 0.75 }]);
});

it('RunList: a journal that is damaged while it grows is said so, and is listed again when it is mended', async () => {
  const list = new RunList(runs);
  await list.read();
  const path = join(run.path, 'journal.jsonl');
  const text = await readFile(path, 'utf8');
  await appendFile(path, 'nonsense\n');
  expect(await list.read()).toMatchObject([{ state: 'damaged', error: expect.stringContaining('line 2') }]);
  await writeFile(path, text);
  expect(await list.read()).toMatchObject([{ state: 'running' }]);
});

it('RunList: a journal that cannot be read at all is listed as damaged, and hides no other run', async () => {
  await mkdir(join(runs, 'unreadable', 'journal.jsonl'), { recursive: true });
  expect(await new RunList(runs).read()).toMatchObject([
    { runId: 'unreadable', state: 'damaged', error: expect.stringContaining('EISDIR') },
    { runId: 'growing', state: 'running' },
  ]);
});

it('RunList: a long journal keeps nobody waiting for the others', async () => {
  const long = await newRun(runs, 'a-long-one');
  const lines = Array.from({ length: 20_000 }, (_, i) => ({
    seq: i + 1,
    meta: { at: '2026-01-31T12:00:00.000Z' },
    fact: { ...evaluated('10', 0.5), repeat: i },
  }));
  await appendFile(join(long.path, 'journal.jsonl'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  const list = new RunList(runs);
  let soon = await list.readSoon(1);
  while (soon.some(({ runId, state }) => runId === 'growing' && state === 'reading')) soon = await list.readSoon(1);
  expect(soon).toMatchObject([
    { runId: 'growing', state: 'running' },
    { runId: 'a-long-one', state: 'reading' },
  ]);
  expect(await list.read()).toMatchObject([{ runId: 'growing' }, { runId: 'a-long-one', bestAccuracy: 0.5 }]);
  expect(await list.readSoon(60_000)).toEqual(await list.read());
  await long.close();
});
