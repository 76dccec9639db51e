import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { childrenOf, isAlive, until, Workplace } from '../support/cli.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
let workplace: Workplace;
beforeAll(async () => {
  workplace = await Workplace.create();
});
afterAll(() => workplace.destroy());

it('SIGTERM to npx alone, which its shell does not pass on, ends the command as well', async () => {
  const npx = spawn('npx', ['nesgd', 'serve', '--port', '0', '--json', '--runs', workplace.runs], {
    cwd: ROOT,
    env: { ...workplace.env, NESGD_SECRET: '' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await once(npx.stdout, 'data');
  const [shell] = await childrenOf(npx.pid!, 'nesgd');
  const [command] = await childrenOf(shell!, 'nesgd');
  expect(await isAlive(command!)).toBe(true);
  npx.kill('SIGTERM');
  await until('the command has ended', async () => !(await isAlive(command!)));
});
