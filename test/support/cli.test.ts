import { existsSync } from 'node:fs';
import { readlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { childrenOf, isAlive, until, Workplace, writeExperiment } from './cli.js';
import { tinyExperiment } from './tiny.js';

it('workplace: what outlived the process that a test started ends with the workplace', async () => {
  const workplace = await Workplace.create();
  onTestFinished(() => workplace.destroy());
  const cli = workplace.paste(`sh -c 'setsid sleep 600 > /dev/null 2>&1 & echo $!'`);
  await cli.exited;
  const pid = Number(cli.stdout);
  expect(await isAlive(pid)).toBe(true);
  await workplace.destroy();
  expect(await isAlive(pid)).toBe(false);
});

it('workplace: the broker of a run that is killed ends with the workplace', async () => {
  const workplace = await Workplace.create();
  onTestFinished(() => workplace.destroy());
  await writeExperiment(join(workplace.folder, 'tiny.yaml'), tinyExperiment());
  const run = workplace.start(['run', 'tiny.yaml', '--broker', 'auto', '--workers', '0']);
  const childOf = async (pid: number, text: string) =>
    until(`${text} is there`, async () => {
      expect(run.child.exitCode, run.stderr).toBeNull();
      return (await childrenOf(pid, text))[0];
    });
  const guardian = await childOf(run.child.pid as number, 'broker-guardian');
  const keeper = await childOf(guardian, 'nesgd-broker');
  const server = await childOf(keeper, 'server');
  const folder = await readlink(`/proc/${server}/cwd`);
  await workplace.destroy();
  expect(await isAlive(server)).toBe(false);
  expect(existsSync(folder)).toBe(false);
});
