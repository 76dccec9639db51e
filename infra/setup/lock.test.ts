import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withLock } from './lock.mjs';

const LOCK_MODULE = new URL('./lock.mjs', import.meta.url).href;

describe('withLock', () => {
  let folder: string;
  let path: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'nesgd-test-'));
    path = join(folder, 'set-up.lock');
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const silent = () => {};
  const hold = (pids: number[], host = hostname()) => writeFileSync(path, JSON.stringify({ host, pids }));
  const deadPid = () =>
    new Promise<number>((resolve) => {
      const child = spawn(process.execPath, ['-e', '']);
      child.once('exit', () => resolve(Number(child.pid)));
    });

  it('two processes never work at once', async () => {
    const log = join(folder, 'log');
    const code = `
      import { appendFileSync } from 'node:fs';
      import { setTimeout as delay } from 'node:timers/promises';
      import { withLock } from ${JSON.stringify(LOCK_MODULE)};
      await withLock(${JSON.stringify(path)}, async () => {
        appendFileSync(${JSON.stringify(log)}, 'in ');
        await delay(50);
        appendFileSync(${JSON.stringify(log)}, 'out ');
      }, () => {});`;
    const child = () =>
      new Promise((resolve) => spawn(process.execPath, ['--input-type=module', '-e', code]).once('exit', resolve));
    expect(await Promise.all([child(), child(), child()])).toEqual([0, 0, 0]);
    expect(readFileSync(log, 'utf8')).toBe('in out in out in out ');
  });

  it('is let go of after work, also after work that failed, and leaves no file', async () => {
    await withLock(path, async () => expect(existsSync(path)).toBe(true), silent);
    await expect(withLock(path, () => Promise.reject(new Error('failed')), silent)).rejects.toThrow('failed');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('the lock of a killed set-up is void', async () => {
    hold([await deadPid()]);
    expect(await withLock(path, async () => 'worked', silent)).toBe('worked');
  });

  it('a lock file that is cut short is void', async () => {
    writeFileSync(path, '{"host');
    expect(await withLock(path, async () => 'worked', silent)).toBe('worked');
  });

  it('a killed set-up holds the lock as long as the tool that it ran', async () => {
    const tool = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1e6)']);
    hold([await deadPid(), Number(tool.pid)]);
    const said: string[] = [];
    const work = withLock(
      path,
      async () => tool.exitCode ?? tool.signalCode,
      (line) => {
        said.push(line);
        tool.kill('SIGKILL');
      },
    );
    expect(await work).toBe('SIGKILL');
    expect(said).toEqual([expect.stringMatching(/waiting for another set-up \(process \d+, \d+ on /)]);
  });

  it('names the tools that run', async () => {
    await withLock(
      path,
      async (alsoHeldBy) => {
        alsoHeldBy(4242);
        expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({ host: hostname(), pids: [process.pid, 4242] });
      },
      silent,
    );
  });
});
