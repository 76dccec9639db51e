import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { utimesSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InputError } from '../errors.js';
import { exampleOpened as opened } from './example.fixture.js';
import { createRun, listRuns, newRunId, openRun, readRun, runHolder } from './run-folder.js';
import { lockRun } from './run-lock.js';

describe('run folder', () => {
  let runs: string;
  beforeEach(async () => {
    runs = await mkdtemp(join(tmpdir(), 'nesgd-runs-'));
  });
  afterEach(() => rm(runs, { recursive: true }));

  it('appears whole, with its opening fact, and leaves no temporary folder', async () => {
    const run = await createRun(runs, opened('a'));
    await run.close();
    expect(await readdir(runs)).toEqual(['a']);
    expect((await readRun(runs, 'a')).opened).toEqual(opened('a'));
  });

  it('exists once: the second run of an id is refused and harms nothing', async () => {
    const run = await createRun(runs, opened('a'));
    await expect(createRun(runs, opened('a'))).rejects.toThrow(/exists already.*nesgd resume a/);
    await run.close();
    expect((await readRun(runs, 'a')).lines.length).toBe(1);
    expect(await readdir(runs)).toEqual(['a']);
  });

  it('of two that create one id at the same time, exactly one wins', async () => {
    const outcomes = await Promise.allSettled([createRun(runs, opened('a')), createRun(runs, opened('a'))]);
    expect(outcomes.map((o) => o.status).sort()).toEqual(['fulfilled', 'rejected']);
    for (const outcome of outcomes) if (outcome.status === 'fulfilled') await outcome.value.close();
  });

  it('is held by one process at a time', async () => {
    const run = await createRun(runs, opened('a'));
    await expect(openRun(runs, 'a')).rejects.toThrow(new RegExp(`process ${process.pid} on ${hostname()}`));
    await run.close();
    await (await openRun(runs, 'a')).close();
  });

  it('is taken over from a process that was killed', async () => {
    await (await createRun(runs, opened('a'))).close();
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)']);
    const stat = await readFile(`/proc/${child.pid}/stat`, 'utf8');
    const started = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
    await writeFile(join(runs, 'a', 'lock'), JSON.stringify({ pid: child.pid, host: hostname(), started }));
    await expect(openRun(runs, 'a')).rejects.toThrow(InputError);
    child.kill('SIGKILL');
    await once(child, 'exit');
    await (await openRun(runs, 'a')).close();
  });

  it('is taken over where the process id now belongs to another process', async () => {
    await (await createRun(runs, opened('a'))).close();
    await writeFile(join(runs, 'a', 'lock'), JSON.stringify({ pid: process.pid, host: hostname(), started: '1' }));
    await (await openRun(runs, 'a')).close();
  });

  it.each([
    ['another machine', { host: 'elsewhere' }],
    ['another container of one name', { namespace: 'pid:[1]' }],
  ])('is not taken from a process of %s that touches its lock, but from one that does not', async (_, where) => {
    await (await createRun(runs, opened('a'))).close();
    const lock = join(runs, 'a', 'lock');
    // Alive by its process id here, which says nothing of there.
    const holder = { pid: process.pid, host: hostname(), started: '1', ...where };
    await writeFile(lock, JSON.stringify(holder));
    let at = 1;
    const beat = setInterval(() => utimesSync(lock, at, at++), 20);
    await expect(lockRun(lock, 'a', 600)).rejects.toThrow(InputError);
    clearInterval(beat);
    expect(await runHolder(runs, 'a')).toBeUndefined(); // Last touched in 1970.
    await (await lockRun(lock, 'a', 600))();
  });

  it.each(['', '..', 'a/b', '.hidden', 'a b', 'x'.repeat(101)])('refuses the id %j', async (id) => {
    await expect(openRun(runs, id)).rejects.toThrow(InputError);
  });

  it('names the latest runs where the one asked for does not exist', async () => {
    await (await createRun(runs, opened('known'))).close();
    await expect(openRun(runs, 'unknown')).rejects.toThrow(/no run unknown.*known/);
    expect(await listRuns(runs)).toEqual(['known']);
  });

  it('newRunId: two in one second differ and sort by time', () => {
    const at = new Date('2026-01-31T12:00:00Z');
    expect(newRunId('x', at)).toMatch(/^x-20260131-120000-[0-9a-f]{4}$/);
    expect(newRunId('x', at) < newRunId('x', new Date('2026-01-31T12:00:01Z'))).toBe(true);
  });
});
