import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { WORKERS_KEY } from '@nesgd/core/protocol';
import { canonicalFacts, type Fact, readJournal } from '@nesgd/core/run';
import { findBrokerBinary, type RunningBroker, startBroker } from '@nesgd/core/runtime';
import { defaultCacheRoot } from '@nesgd/core/storage';
import type { RunSnapshot, WorkerList } from '@nesgd/core/view';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { type Cli, isAlive, until, Workplace, writeExperiment } from '../support/cli.js';
import { tinyExperiment } from '../support/tiny.js';

/** Compose and Kubernetes start a command again whenever it ends: what shall end must not be undone by that. */
let workplace: Workplace;
let broker: RunningBroker;
let experiment: string;
const SECRET = 'secret-of-this-test-long-enough';
const EVOLUTION = { evolution: { populationSize: 4, generations: 1 } };

beforeAll(async () => {
  workplace = await Workplace.create();
  const binary = findBrokerBinary(defaultCacheRoot(process.env), process.env);
  if (!binary) throw new Error('wants a redis-server or valkey-server: "npm test" provisions one');
  broker = await startBroker(binary);
  experiment = await writeExperiment(join(workplace.folder, 'tiny.yaml'), tinyExperiment(EVOLUTION));
});
afterAll(async () => {
  await workplace.destroy();
  await broker.stop();
});

const factsOf = async (runId: string): Promise<Fact[]> =>
  canonicalFacts((await readJournal(join(workplace.runs, runId, 'journal.jsonl'))).lines).map((fact) =>
    fact.type === 'opened' ? { ...fact, runId: '' } : fact,
  );
const urlOf = (cli: Cli) => until('it serves', async () => /dashboard: (http:\S+)/.exec(cli.stderr)?.[1]);
const stays = (cli: Cli) => until('the dashboard stays', async () => cli.stderr.includes('the dashboard stays at'));
const stateOf = async (url: string, runId: string) =>
  ((await (await fetch(`${url}/api/runs/${runId}`)).json()) as RunSnapshot).state;
const post = (url: string, path: string, body: unknown = {}) =>
  fetch(`${url}/api${path}`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  });

it('a run of --or-resume that is told to stop stays so, served, when its command is started again; resume goes on', async () => {
  const args = ['run', experiment, '--run-id', 'resting', '--or-resume', '--workers', '1', '--broker', 'local'];
  const first = workplace.start([...args, '--serve', '0'], { NESGD_SECRET: '' });
  const url = await urlOf(first);
  await until('one is measured', async () =>
    (await factsOf('resting').catch(() => [])).some((f) => f.type === 'evaluated'),
  );
  expect((await post(url, '/runs/resting/stop')).status).toBe(200);
  await stays(first);
  expect(first.stderr).toMatch(/^nesgd: stopped; what was measured is kept: ".*resume resting.*" goes on$/m);
  expect(await stateOf(url, 'resting')).toBe('stopped');
  const measured = await factsOf('resting');
  first.child.kill('SIGTERM');
  expect(await first.exited).toEqual({ code: 0, signal: null });

  const bare = workplace.start(args);
  expect(await bare.exited).toEqual({ code: 0, signal: null });
  expect(bare.stderr).toMatch(/run resting was told to stop, and rests: ".*resume resting.*" goes on/);
  const second = workplace.start([...args, '--serve', '0'], { NESGD_SECRET: '' });
  await stays(second);
  expect(await factsOf('resting')).toEqual(measured);

  expect((await post(await urlOf(second), '/runs/resting/resume')).status).toBe(200);
  await until('it is over', async () => (await stateOf(await urlOf(second), 'resting')) === 'finished');
  second.child.kill('SIGTERM');
  expect(await second.exited).toEqual({ code: 0, signal: null });
  await workplace
    .start(['run', experiment, '--run-id', 'undisturbed', '--workers', '1', '--broker', 'local', '--json'])
    .summary();
  expect(await factsOf('resting')).toEqual(await factsOf('undisturbed'));
});

it('one that has diverged is served with its reason instead of ending again and again', async () => {
  const wild = await writeExperiment(
    join(workplace.folder, 'wild.yaml'),
    tinyExperiment({ alpha: { epochs: 1, learningRate: 1e30, batchSize: 32 } }),
  );
  const args = ['run', wild, '--run-id', 'wild', '--or-resume', '--workers', '1', '--broker', 'local', '--serve', '0'];
  for (const _ of ['first', 'started again']) {
    const run = workplace.start(args, { NESGD_SECRET: '' });
    await stays(run);
    expect(run.stderr).toMatch(/^nesgd: alpha's training diverged in epoch 1/m);
    expect(await stateOf(await urlOf(run), 'wild')).toBe('diverged');
    run.child.kill('SIGTERM');
    expect(await run.exited).toEqual({ code: 0, signal: null });
  }
});

it('a worker of --stay-drained takes no other job, lets go of its trainer, and waits for its signal', async () => {
  const worker = workplace.start(['worker', '--broker', broker.url, '--name', 'stays', '--stay-drained'], {
    NESGD_PULSE_MS: '200',
  });
  const list = async () =>
    (await workplace.start(['workers', '--broker', broker.url, '--json']).summary<WorkerList>()).workers;
  await until('it is there', async () => (await list()).some(({ name }) => name === 'stays'));
  await workplace.start(['workers', 'drain', 'stays', '--broker', broker.url, '--json']).summary();
  await until('it is drained', async () => (await list()).some(({ state }) => state === 'drained'));
  const run = workplace.start(['run', experiment, '--run-id', 'waits', '--workers', '0', '--broker', broker.url]);
  await until('its first job waits', async () => run.stderr.includes('1 worker connected: stays'));
  const other = workplace.start(['worker', '--broker', broker.url, '--name', 'other', '--jobs', '1']);
  expect(await other.exited).toEqual({ code: 0, signal: null });
  expect(await isAlive(worker.child.pid!)).toBe(true);
  expect(worker.stdout).not.toContain('job started');
  for (const { child } of [run, worker]) child.kill('SIGTERM');
  expect(await worker.exited).toEqual({ code: 0, signal: null });
  await run.exited;
  // Those that left have taken their names along.
  const connection = new Redis(broker.url);
  expect(await connection.smembers(WORKERS_KEY)).toEqual([]);
  connection.disconnect();
});

it('runs that a server starts live on the workers that are there, one a name, and do without an address that is taken', async () => {
  const taken = createServer();
  const port = await new Promise<number>((resolve) =>
    taken.listen(0, '127.0.0.1', () => resolve((taken.address() as { port: number }).port)),
  );
  const worker = workplace.start(['worker', '--broker', broker.url, '--name', 'shared']);
  const server = workplace.start(['serve', '--port', '0', '--json'], {
    REDIS_URL: broker.url,
    NESGD_LISTEN: `127.0.0.1:${port}`,
    NESGD_SECRET: SECRET,
  });
  const { url } = JSON.parse(await until('it serves', async () => server.stdout.trim() || undefined)) as {
    url: string;
  };
  const authorised = (path: string, init: RequestInit = {}) =>
    fetch(`${url}/api${path}`, {
      ...init,
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${SECRET}` },
    });
  await until('the worker is known', async () => {
    const answer = await authorised('/workers');
    // Its own connection to the broker may not stand yet.
    return answer.ok && ((await answer.json()) as WorkerList).workers.some(({ name }) => name === 'shared');
  });
  const body = JSON.stringify({ experiment: stringify(tinyExperiment(EVOLUTION)), runId: 'posted' });
  const answers = await Promise.all([1, 2, 3, 4].map(() => authorised('/runs', { method: 'POST', body })));
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409]);
  const state = async () => ((await (await authorised('/runs/posted')).json()) as RunSnapshot).state;
  await until('it is over', async () => (await state()) === 'finished');
  const log = await readFile(join(workplace.runs, '.started', 'posted.log'), 'utf8');
  expect(log).toContain(`does not listen on 127.0.0.1:${port}, which another program has`);
  const { lines } = await readJournal(join(workplace.runs, 'posted', 'journal.jsonl'));
  expect(new Set(lines.flatMap(({ meta }) => meta.provenance?.worker ?? []))).toEqual(new Set(['shared']));
  for (const { child } of [server, worker]) child.kill('SIGTERM');
  await Promise.all([server.exited, worker.exited]);
  taken.close();
});
