import { appendFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunFolder } from '@nesgd/core/run';
import type { RunSnapshot } from '@nesgd/core/view';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createApi } from '../serve/api.js';
import { evaluated, newRun } from '../serve/example-run.fixture.js';
import { RunFollowers } from '../serve/run-followers.js';
import type { JournalPart } from './journal-reading.js';
import { RunReader } from './run-reader.js';

const LINES = 20_000;

let runs: string;
let run: RunFolder;
let reader: RunReader;

beforeEach(async () => {
  runs = await mkdtemp(join(tmpdir(), 'nesgd-reader-'));
  run = await newRun(runs, 'long');
  const curve = Array.from({ length: 8 }, (_, i) => ({ epoch: i + 1, trainLoss: 0.123456789, accuracy: 0.5 }));
  const lines = Array.from({ length: LINES }, (_, i) => ({
    seq: i + 1,
    meta: { at: '2026-01-31T12:00:00.000Z' },
    fact: { ...evaluated('10', 0.5), curve, repeat: i },
  }));
  await appendFile(join(run.path, 'journal.jsonl'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
  reader = new RunReader(runs);
});
afterEach(async () => {
  await reader.close();
  await run.close();
  await rm(runs, { recursive: true });
});

function api() {
  const app = createApi(
    new RunFollowers(reader),
    { version: '1', node: '20', login: false, queueBoard: null },
    undefined,
  );
  return async <T>(path: string) => (await (await app.request(path)).json()) as T;
}

it('while a long journal is read, others are answered, and what is read of it too', async () => {
  const get = api();
  let isRead = false;
  const whole = get<RunSnapshot>('/runs/long').then((snapshot) => {
    isRead = true;
    return snapshot;
  });
  const first = await get<RunSnapshot>('/runs/long?limit=2');
  expect(first.lines.map(({ seq }) => seq)).toEqual([0, 1]);
  expect(first.reading?.bytesRead).toBeLessThan(first.reading?.bytes ?? 0);
  expect(await get('/server')).toMatchObject({ version: '1' });
  expect(isRead).toBe(false);
  const { lines, reading } = await whole;
  expect([lines.length, reading]).toEqual([LINES + 1, null]);
});

it('asked for the lines behind those it has, a page gets each once, to the end', async () => {
  const get = api();
  const seqs: number[] = [];
  for (;;) {
    const { lines, reading } = await get<RunSnapshot>(`/runs/long?after=${seqs.length - 1}&limit=3000`);
    seqs.push(...lines.map(({ seq }) => seq));
    if (!reading && lines.length < 3_000) break;
  }
  expect(seqs).toEqual(Array.from({ length: LINES + 1 }, (_, seq) => seq));
});

it('a thread that ends in the middle fails those who wait; who asks next has the journal from its start', async () => {
  const reading = reader.reading('long');
  const parts: JournalPart[] = [];
  await expect(
    reading.readOn((part) => {
      parts.push(part);
      void reader.close();
    }),
  ).rejects.toThrow('ended');
  const again: JournalPart[] = [];
  await reading.readOn((part) => again.push(part));
  expect(again[0]?.first).toBe(0);
  expect(again.reduce((sum, { text }) => sum + text.ends.length, 0)).toBe(LINES + 1);
  expect(again.at(-1)?.figures).toMatchObject({ evaluated: LINES, imagesTrained: LINES });
});
