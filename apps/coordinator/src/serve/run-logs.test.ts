import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { readLogs } from './run-logs.js';

let runs: string;
beforeEach(async () => {
  runs = await mkdtemp(join(tmpdir(), 'nesgd-logs-'));
  await mkdir(join(runs, 'logged', 'logs'), { recursive: true });
});
afterEach(() => rm(runs, { recursive: true }));

it('readLogs: the last whole lines of each file', async () => {
  const logs = join(runs, 'logged', 'logs');
  await writeFile(join(logs, 'worker-1.log'), 'one\ntwo\n');
  await writeFile(join(logs, 'worker-2.log'), '');
  await writeFile(join(logs, 'worker-3.log'), Array.from({ length: 4_000 }, (_, i) => `line ${i}\n`).join(''));
  const [first, second, third] = await readLogs(runs, 'logged');
  expect([first, second]).toEqual([
    { name: 'worker-1.log', lines: ['one', 'two'] },
    { name: 'worker-2.log', lines: [] },
  ]);
  expect(third?.lines.at(-1)).toBe('line 3999');
  expect(third?.lines.every((line) => /^line \d+$/.test(line))).toBe(true);
  expect(third?.lines.length).toBeLessThan(4_000);
});

it('readLogs: follows no link and looks at no other folder', async () => {
  await writeFile(join(runs, 'secret'), 'not for you');
  await symlink(join(runs, 'secret'), join(runs, 'logged', 'logs', 'link.log'));
  expect(await readLogs(runs, 'logged')).toEqual([]);
  expect(await readLogs(runs, 'nothing')).toEqual([]);
  await expect(readLogs(runs, '../logged')).rejects.toMatchObject({ code: 'RUN_ID' });
});
