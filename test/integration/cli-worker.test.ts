import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { canonicalFacts, type Fact, readJournal } from '@nesgd/core/run';
import { findBrokerBinary, type RunningBroker, startBroker } from '@nesgd/core/runtime';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { RunSummary } from '../../apps/coordinator/src/run-events.js';
import { type Cli, isAlive, until, Workplace, writeExperiment } from '../support/cli.js';
import { tinyExperiment } from '../support/tiny.js';

/** Workers that join from elsewhere, through a broker that others run: two `nesgd worker` serve all runs of this file. */
let workplace: Workplace;
let broker: RunningBroker;
let tiny: string;
let workers: Cli[];

beforeAll(async () => {
  workplace = await Workplace.create();
  const binary = findBrokerBinary(workplace.env.NESGD_CACHE as string, process.env);
  if (!binary)
    throw new Error('the tests of the queue need a redis-server or valkey-server: "npm test" provisions one');
  broker = await startBroker(binary);
  tiny = await writeExperiment(
    join(workplace.folder, 'tiny.yaml'),
    tinyExperiment({ evolution: { populationSize: 4, generations: 1 } }),
  );
  workers = [
    workplace.start(['worker', '--broker', broker.url, '--name', 'flag']),
    workplace.start(['worker', '--name', 'variable'], { REDIS_URL: broker.url }),
  ];
  for (const worker of workers)
    await until('it waits for jobs', async () => worker.stdout.includes('waiting for jobs'));
});
afterAll(async () => {
  await broker.stop();
  await workplace.destroy();
});

const run = (runId: string, ...more: string[]) => ['run', tiny, '--run-id', runId, '--workers', '0', ...more];

async function linesOf(runId: string) {
  return (await readJournal(join(workplace.runs, runId, 'journal.jsonl'))).lines;
}

async function factsOf(runId: string): Promise<Fact[]> {
  return canonicalFacts(await linesOf(runId)).filter((fact) => fact.type !== 'opened');
}

async function workersOf(runId: string): Promise<string[]> {
  const names = (await linesOf(runId)).flatMap(({ meta }) => meta.provenance?.worker ?? []);
  return [...new Set(names)].sort();
}

describe('a run without workers of its own', () => {
  let first: Cli;
  let second: Cli;

  beforeAll(async () => {
    first = workplace.start(run('first', '--broker', broker.url));
    second = workplace.start(run('second', '--json'), { REDIS_URL: broker.url });
    for (const cli of [first, second]) expect(await cli.exited, cli.stderr).toEqual({ code: 0, signal: null });
  });

  it('is done by those that joined, told of the broker by a flag or by REDIS_URL', async () => {
    const both = [...(await workersOf('first')), ...(await workersOf('second'))];
    expect([...new Set(both)].sort()).toEqual(['flag', 'variable']);
  });

  it('shares them with another run at the same time, and both get what they would get alone', async () => {
    expect(await factsOf('second')).toEqual(await factsOf('first'));
    const alone = workplace.start(['run', tiny, '--run-id', 'alone', '--broker', 'local', '--json']);
    const { workers: _, seconds: __, runId: ___, ...summary } = await alone.summary<RunSummary>();
    expect(await factsOf('alone')).toEqual(await factsOf('first'));
    expect(JSON.parse(second.stdout)).toMatchObject(summary);
  });

  it('counts those that did its jobs', async () => {
    const { length } = await workersOf('second');
    expect(JSON.parse(second.stdout)).toMatchObject({ runId: 'second', workers: length });
  });

  it('keeps the password of its broker out of display, journal and logs', async () => {
    const { password } = new URL(broker.url);
    expect(first.stderr).toMatch(/broker redis:\/\/127\.0\.0\.1:\d+\n/);
    const files = await readdir(workplace.runs, { recursive: true });
    const texts = files
      .filter((file) => /\.(jsonl|yaml|log)$/.test(file))
      .map((file) => readFile(join(workplace.runs, file), 'utf8'));
    const said = [first, second, ...workers].flatMap(({ stdout, stderr }) => [stdout, stderr]);
    for (const text of [...(await Promise.all(texts)), ...said]) expect(text).not.toContain(password);
  });
});

describe('workers that come and go', () => {
  let empty: RunningBroker;
  const short = ['--set', 'evolution.generations=0', '--set', 'evolution.populationSize=2', '--set', 'alpha.epochs=1'];
  const join = () => workplace.start(['worker', '--broker', empty.url, '--name', 'late']);

  beforeAll(async () => {
    empty = await startBroker(findBrokerBinary(workplace.env.NESGD_CACHE as string, process.env) as string);
  });
  afterAll(() => empty.stop());

  it('a run that starts none says so, what to type, and when the first has joined', async () => {
    const cli = workplace.start(run('alone-at-first', '--broker', empty.url, '--device', 'cpu', ...short));
    const { port } = new URL(empty.url);
    await until('it says so', async () => /no worker is connected, and this run starts none/.test(cli.stderr));
    expect(cli.stderr).toMatch(`nesgd.mjs worker --broker redis://:PASSWORD@127.0.0.1:${port}"`);
    const worker = join();
    expect(await cli.exited, cli.stderr).toEqual({ code: 0, signal: null });
    expect(cli.stderr).toContain('note: 1 worker connected: late');
    expect(cli.stderr.match(/note: /g)).toHaveLength(2);
    worker.child.kill('SIGTERM');
    expect(await worker.exited).toEqual({ code: 0, signal: null });
  });

  it('a run whose own workers cannot live goes on with those that joined', async () => {
    const worker = join();
    await until('it waits for jobs', async () => worker.stdout.includes('waiting for jobs'));
    const sick = { NESGD_LOCK_DURATION_MS: 'soon' };
    const args = ['run', tiny, '--run-id', 'sick', '--workers', '1', '--broker', empty.url];
    const cli = workplace.start([...args, '--set', 'alpha.epochs=1000'], sick);
    const lost = /none of this run's workers stays alive: .*The run goes on with workers that joined/;
    await until('its own are given up', async () => lost.test(cli.stderr));
    const epoch = () => [...cli.stderr.matchAll(/alpha: epoch (\d+)/g)].length;
    const before = epoch();
    await until('alpha goes on', async () => epoch() > before);
    cli.child.kill('SIGINT');
    expect(await cli.exited, cli.stderr).toEqual({ code: 130, signal: null });
    worker.child.kill('SIGTERM');
    await worker.exited;
  });

  it('a worker says once that its broker cannot be reached, not at every try, and when it can again', async () => {
    let tries = 0;
    let answers = false;
    // In place of a broker that is away: the connection fails, and here the tries can be counted.
    const door = createServer((socket) => {
      tries += 1;
      socket.on('error', () => {});
      if (!answers) {
        socket.destroy();
        return;
      }
      const beyond = connect(Number(new URL(empty.url).port), '127.0.0.1');
      beyond.on('error', () => socket.destroy()).on('close', () => socket.destroy());
      socket.on('close', () => beyond.destroy());
      socket.pipe(beyond).pipe(socket);
    }).listen(0, '127.0.0.1');
    await once(door, 'listening');
    const url = new URL(empty.url);
    url.port = String((door.address() as AddressInfo).port);
    const worker = workplace.start(['worker', '--broker', url.href, '--name', 'patient']);
    await until('it has tried often', async () => tries > 12);
    const lines = worker.stdout.trimEnd().split('\n');
    expect(lines).toEqual([expect.stringContaining('the broker cannot be reached; trying until it can')]);
    answers = true;
    await until('it waits for jobs', async () => worker.stdout.includes('waiting for jobs'));
    expect(worker.stdout).toContain('the broker can be reached again');
    worker.child.kill('SIGTERM');
    expect(await worker.exited).toEqual({ code: 0, signal: null });
    door.close();
  });
});

it('REDIS_URL in a .env file counts, and standard output still has nothing but the result', async () => {
  await writeFile(join(workplace.folder, '.env'), `REDIS_URL=${broker.url}\n`);
  const cli = workplace.start(run('dotenv', '--json', '--set', 'evolution.generations=0'));
  const summary = await cli.summary<RunSummary>();
  expect(cli.stdout).toBe(`${JSON.stringify(summary)}\n`);
  expect(await workersOf('dotenv')).not.toEqual([]);
});

it('a broker that wants a password, or another one, is no broker: exit 1', async () => {
  const { host, password } = new URL(broker.url);
  const without = workplace.start(run('locked-out', '--broker', `redis://${host}`));
  expect(await without.exited).toEqual({ code: 1, signal: null });
  expect(without.stderr).toMatch(/cannot be used \(it wants a password, as in redis:\/\/:password@host:port\)/);
  const wrong = workplace.start(run('locked-out', '--broker', `redis://:x${password}@${host}`));
  expect(await wrong.exited).toEqual({ code: 1, signal: null });
  expect(wrong.stderr).toMatch(/cannot be used \(it refuses the user or password given\)/);
  expect(wrong.stderr).not.toContain(password);
  expect(await readdir(workplace.runs)).not.toContain('locked-out');
});

it.each(['SIGINT', 'SIGTERM'] as const)('a worker ends by %s, with 0', async (signal) => {
  const worker = workers.pop() as Cli;
  worker.child.kill(signal);
  expect(await worker.exited).toEqual({ code: 0, signal: null });
});

it('a worker whose parent is killed before it could look ends by itself, though its broker went with the parent', async () => {
  const main = fileURLToPath(new URL('../../apps/worker/dist/main.js', import.meta.url));
  // A parent like `nesgd run`, killed in the worker's first moment: no `disconnect` comes after its first line then.
  const parent = `const { fork } = require('node:child_process');
    const worker = fork(${JSON.stringify(main)}, [], { stdio: 'ignore' });
    require('node:fs').writeSync(1, String(worker.pid));
    process.kill(process.pid, 'SIGKILL');`;
  const child = spawn(process.execPath, ['-e', parent], {
    cwd: workplace.folder,
    env: { ...workplace.env, REDIS_URL: 'redis://127.0.0.1:1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let pid = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    pid += text;
  });
  expect(await once(child, 'close')).toEqual([null, 'SIGKILL']);
  expect(Number(pid)).toBeGreaterThan(1);
  onTestFinished(() => killIfThere(Number(pid)));
  await until('the worker is gone', async () => !(await isAlive(Number(pid))), 20_000);
});

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {} // As it should be.
}
