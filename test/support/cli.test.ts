import { expect, it } from 'vitest';
import { isAlive, Workplace } from './cli.js';

it('workplace: what outlived the process that a test started ends with the workplace', async () => {
  const workplace = await Workplace.create();
  const cli = workplace.paste(`sh -c 'setsid sleep 600 > /dev/null 2>&1 & echo $!'`);
  await cli.exited;
  const pid = Number(cli.stdout);
  expect(await isAlive(pid)).toBe(true);
  await workplace.destroy();
  expect(await isAlive(pid)).toBe(false);
});
