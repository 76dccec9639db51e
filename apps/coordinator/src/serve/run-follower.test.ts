import { appendFile, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunFolder } from '@nesgd/core/run';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RunReader } from '../reading/run-reader.js';
import { evaluated, newRun } from './example-run.fixture.js';
import { RunFollower } from './run-follower.js';

let runs: string;
let run: RunFolder;
let reader: RunReader;

beforeEach(async () => {
  runs = await mkdtemp(join(tmpdir(), 'nesgd-follower-'));
  run = await newRun(runs, 'followed');
  reader = new RunReader(runs);
});
afterEach(async () => {
  await reader.close();
  await run.close();
  await rm(runs, { recursive: true });
});

const journal = () => join(run.path, 'journal.jsonl');

describe('RunFollower', () => {
  it('tells who listens of each new line, also of one that is written in two pieces', async () => {
    const follower = new RunFollower(reader, 'followed');
    await follower.refresh();
    const changes: number[] = [];
    const unsubscribe = follower.subscribe(() => changes.push(follower.lines.length));
    await run.journal.append(evaluated('10', 0.5));
    await expect.poll(() => changes.at(-1)).toBe(2);
    const line = JSON.stringify({ seq: 2, meta: { at: '2026-01-31T12:00:00.000Z' }, fact: evaluated('01', 0.25) });
    await appendFile(journal(), line.slice(0, 20));
    await follower.refresh();
    expect(follower.lines.length).toBe(2);
    await appendFile(journal(), `${line.slice(20)}\n`);
    await expect.poll(() => follower.lines.length).toBe(3);
    expect(JSON.parse(follower.lines.at(2)).fact).toEqual(evaluated('01', 0.25));
    unsubscribe();
    expect(follower.isWatched).toBe(false);
  });

  it('says whether the run goes on, has stopped, or is finished', async () => {
    const follower = new RunFollower(reader, 'followed');
    await follower.refresh();
    expect(follower.pulse).toMatchObject({ state: 'running', holder: { pid: process.pid } });
    await run.close();
    await follower.refresh();
    expect(follower.pulse).toMatchObject({ state: 'stopped', holder: null });
  });

  it('starts over where another journal has taken the place', async () => {
    const follower = new RunFollower(reader, 'followed');
    await run.journal.append(evaluated('10', 0.5));
    await follower.refresh();
    const text = await readFile(journal(), 'utf8');
    await writeFile(`${journal()}.new`, text.slice(0, text.indexOf('\n') + 1));
    await rename(`${journal()}.new`, journal());
    const before = follower.journals;
    await follower.refresh();
    expect([follower.lines.length, follower.journals]).toEqual([1, before + 1]);
  });

  it('refuses a run that is not there and a damaged journal, and goes on when that is mended', async () => {
    await expect(new RunFollower(reader, 'nothing').refresh()).rejects.toMatchObject({ code: 'RUN_UNKNOWN' });
    const follower = new RunFollower(reader, 'followed');
    await run.journal.append(evaluated('10', 0.5));
    const text = await readFile(journal(), 'utf8');
    await appendFile(journal(), 'nonsense\n');
    await expect(follower.refresh()).rejects.toThrow(/line 3 is damaged/);
    await writeFile(journal(), text);
    await follower.refresh();
    expect(follower.lines.length).toBe(2);
  });

  it('a live file that is none, or of a process that is gone, has no jobs under way', async () => {
    const follower = new RunFollower(reader, 'followed');
    await writeFile(join(run.path, 'live.json'), '{"version":2}');
    await follower.refresh();
    expect(follower.pulse.live).toBeNull();
    const at = '2026-01-31T12:00:00.000Z';
    const job = { id: '10/0', text: '10', worker: 'w', startedAt: at, epochs: 2, imagesPerSecond: 5, curve: [] };
    const worker = {
      name: 'w',
      job: '10',
      jobsDone: 0,
      failures: 0,
      imagesPerSecond: 5,
      memoryBytes: null,
      lastHeardAt: at,
    };
    const circumstances = {
      broker: 'local',
      engine: 'wasm',
      threads: 1,
      workers: 1,
      trainImages: 1,
      validationImages: 1,
      testImages: 1,
    };
    const jobs = { total: 2, done: 0, active: 1, waiting: 1, answered: 0, retried: 0 };
    const live = {
      version: 1,
      at,
      circumstances,
      phase: null,
      jobs,
      remainingMs: 5,
      active: [job],
      workers: [worker],
      log: [],
    };
    await writeFile(join(run.path, 'live.json'), JSON.stringify(live));
    await follower.refresh();
    expect(follower.pulse.live).toEqual(live);
    await run.close();
    await follower.refresh();
    expect(follower.pulse.live).toMatchObject({ active: [], remainingMs: null, workers: [{ job: null }] });
  });
});
