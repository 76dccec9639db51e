import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findBrokerBinary, type RunningBroker, startBroker } from '@nesgd/core/runtime';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Cli, childrenOf, until, Workplace, writeExperiment } from '../support/cli.js';
import { tinyExperiment } from '../support/tiny.js';

/** What containers need of a worker: that it says how it is, and that it ends by itself when it has done its part. */
let workplace: Workplace;
let broker: RunningBroker;
let healthFile: string;

beforeEach(async () => {
  workplace = await Workplace.create();
  const binary = findBrokerBinary(workplace.env.NESGD_CACHE as string, process.env);
  if (!binary) throw new Error('these tests need a redis-server or valkey-server: "npm test" provisions one');
  broker = await startBroker(binary);
  healthFile = join(workplace.folder, 'health.json');
});
afterEach(async () => {
  await broker.stop();
  await workplace.destroy();
});

const startWorker = (...flags: string[]) =>
  workplace.start(['worker', '--broker', broker.url, ...flags], {
    NESGD_HEALTH_FILE: healthFile,
    NESGD_PULSE_MS: '400',
  });

async function startRun(alphaEpochs: number): Promise<Cli> {
  const tiny = tinyExperiment({ evolution: { populationSize: 2, generations: 0 } });
  const file = await writeExperiment(join(workplace.folder, 'tiny.yaml'), tiny);
  const set = ['--set', `alpha.epochs=${alphaEpochs}`];
  return workplace.start(['run', file, '--workers', '0', '--broker', broker.url, '--json', ...set]);
}

const CHECK = fileURLToPath(new URL('../../apps/worker/dist/health/check.js', import.meta.url));

/** What the health check says, and its exit code. */
async function check(...flags: string[]): Promise<[code: number, says: string]> {
  const env = { ...process.env, NESGD_HEALTH_FILE: healthFile };
  return promisify(execFile)(process.execPath, [CHECK, ...flags], { env }).then(
    ({ stdout }) => [0, stdout.trim()],
    (error: { code: number; stdout: string }) => [error.code, error.stdout.trim()],
  );
}

async function report(): Promise<{ writtenAtMs: number; trainerSilentMs: number | null }> {
  return JSON.parse(await readFile(healthFile, 'utf8'));
}

/** Waits until the worker has reported for longer than may be missed of it. */
async function manyBeats(): Promise<void> {
  const { writtenAtMs } = await report();
  await until('many beats have passed', async () => (await report()).writtenAtMs > writtenAtMs + 3_000);
}

const healthy = () => until('it is healthy', async () => (await check())[0] === 0);

it('a worker is healthy while its broker answers; without it, it is not, but is alive', async () => {
  startWorker();
  await healthy();
  await manyBeats();
  await healthy();
  await broker.stop();
  await until('the broker is missed', async () => /^the broker has not answered for/.test((await check())[1]));
  await until('it is alive all the same', async () => (await check('--alive'))[0] === 0);
});

it('files that an earlier start with more cards left behind are not held against a worker', async () => {
  for (const n of [1, 2]) await writeFile(`${healthFile}.${n}`, '{}');
  expect((await check())[1]).toMatch(/^worker 1: /);
  startWorker();
  await healthy();
});

it('a worker that is stopped is neither healthy nor alive, and is again when it goes on, and not at its end', async () => {
  const worker = startWorker();
  await healthy();
  const [pid] = await childrenOf(worker.child.pid as number, 'worker/dist/main.js');
  process.kill(pid as number, 'SIGSTOP');
  await until('it is missed', async () => /^the worker has not reported for/.test((await check('--alive'))[1]));
  process.kill(pid as number, 'SIGCONT');
  await healthy();
  worker.child.kill('SIGTERM');
  expect(await worker.exited).toEqual({ code: 0, signal: null });
  expect(await check()).toEqual([1, expect.stringMatching(/health.json is not there: the worker .* has ended$/)]);
});

it('a trainer that trains answers, and its silence is counted when it hangs', async () => {
  const worker = startWorker();
  await startRun(1_000);
  const silence = async () => (await report()).trainerSilentMs as number;
  const [pid] = await childrenOf(
    worker.child.pid as number,
    await until('it waits', async () => worker.stdout.includes('waiting for jobs') && 'worker/dist/main.js'),
  );
  const trainer = await until(
    'a trainer trains',
    async () => (await report()).trainerSilentMs !== null && (await childrenOf(pid as number, 'trainer/main.js'))[0],
  );
  await until('it answers', async () => (await silence()) < 1_000);
  process.kill(trainer, 'SIGSTOP');
  await until('its silence grows', async () => (await silence()) > 3_000);
  process.kill(trainer, 'SIGCONT');
  await until('it answers again', async () => (await silence()) < 1_000);
});

it('worker --jobs 1 does one job and ends with 0, and others do the rest', async () => {
  const once = startWorker('--jobs', '1');
  const run = await startRun(1);
  expect(await once.exited).toEqual({ code: 0, signal: null });
  expect(once.stdout.match(/"job started"/g)).toHaveLength(1);
  expect(once.stdout.match(/"job done"/g)).toHaveLength(1);
  startWorker();
  expect(await run.exited, run.stderr).toEqual({ code: 0, signal: null });
});

it('a trainer without a job answers', async () => {
  startWorker();
  const run = await startRun(1);
  expect(await run.exited, run.stderr).toEqual({ code: 0, signal: null });
  await manyBeats();
  expect((await report()).trainerSilentMs).toBeLessThan(2_500);
});

it('worker --idle 1 ends with 0 when no job comes', async () => {
  const idle = startWorker('--idle', '1');
  expect(await idle.exited).toEqual({ code: 0, signal: null });
  expect(idle.stdout).toContain('no job for 1 s');
});
