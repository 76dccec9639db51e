import { join } from 'node:path';
import { canonicalFacts, type Fact, readJournal } from '@nesgd/core/run';
import { findBrokerBinary, startBroker } from '@nesgd/core/runtime';
import { defaultCacheRoot } from '@nesgd/core/storage';
import type { ControlledRun } from '@nesgd/core/view';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { stringify } from 'yaml';
import { until, Workplace, writeExperiment } from '../support/cli.js';
import { Served } from '../support/served.js';
import { tinyExperiment } from '../support/tiny.js';

/** Runs that are told what to do while they go on, by other processes: real ones, with a broker and without. */
let workplace: Workplace;
let experiment: string;
let undisturbed: Fact[];
let server: Served;

beforeAll(async () => {
  workplace = await Workplace.create();
  const evolution = { populationSize: 5, generations: 1 };
  experiment = await writeExperiment(join(workplace.folder, 'tiny.yaml'), tinyExperiment({ evolution }));
  server = await Served.start(workplace);
  await start('undisturbed', 'local').summary();
  undisturbed = await factsOf('undisturbed');
});
afterAll(() => workplace.destroy());

const start = (runId: string, broker: string, ...args: string[]) =>
  workplace.start(['run', experiment, '--run-id', runId, '--workers', '1', '--broker', broker, '--json', ...args]);

const linesOf = async (runId: string) => (await readJournal(join(workplace.runs, runId, 'journal.jsonl'))).lines;

/** Facts of two runs are equal but for their names. */
async function factsOf(runId: string): Promise<Fact[]> {
  return canonicalFacts(await linesOf(runId)).map((fact) => (fact.type === 'opened' ? { ...fact, runId: '' } : fact));
}

const evaluated = async (runId: string) =>
  (await linesOf(runId)).filter(({ fact }) => fact.type === 'evaluated').length;

const tell = <T = ControlledRun>(...args: string[]) => workplace.start([...args, '--json']).summary<T>();

async function refused(...args: string[]): Promise<string> {
  const cli = workplace.start(args);
  expect((await cli.exited).code, cli.stderr).toBe(2);
  expect(cli.stdout).toBe('');
  return cli.stderr;
}

const firstMeasured = (runId: string) =>
  until('the first individual is measured', async () => (await evaluated(runId).catch(() => 0)) > 0);

/** What the run does, as its coordinator says. */
const live = async (runId: string) => (await snapshot(runId)).live;

const snapshot = (runId: string) => server.snapshot(runId);
const post = (...request: Parameters<Served['post']>) => server.post(...request);

describe.each(['local', 'auto'])('a run (--broker %s)', (broker) => {
  it('that is paused amid a generation finishes what is under way, begins nothing, and ends with the same facts', async () => {
    const runId = `paused-${broker}`;
    const run = start(runId, broker);
    await firstMeasured(runId);
    // By the API, as a command takes as long to start as some jobs do.
    const paused = await post(`/runs/${runId}/pause`);
    expect(paused).toMatchObject({ status: 200, body: { runId, state: 'running', paused: true, priority: 0 } });
    await until('what was under way is done', async () => (await live(runId))?.active.length === 0);
    const before = await evaluated(runId);
    expect(before, 'jobs were left to be done').toBeLessThan(5);
    // Idempotent; and by the time that it is answered, an idle worker would long have begun another job.
    expect(await tell('pause', runId)).toMatchObject({ paused: true });
    expect((await live(runId))?.active).toEqual([]);
    expect(await evaluated(runId)).toBe(before);
    expect(await tell('status', runId)).toMatchObject({ state: 'running', paused: true });

    expect(await tell('resume', runId)).toMatchObject({ runId, paused: false });
    await run.summary();
    expect(await factsOf(runId)).toEqual(undisturbed);
  });

  it('that is paused at once gives up what is under way, and begins it anew when it goes on', async () => {
    const runId = `now-${broker}`;
    const run = start(runId, broker, '--set', 'alpha.epochs=200');
    await until('alpha trains', async () => ((await live(runId).catch(() => null))?.active[0]?.curve.length ?? 0) > 0);
    await tell('pause', runId, '--now');
    await until('nothing is under way', async () => (await live(runId))?.active.length === 0);
    expect(await linesOf(runId)).toHaveLength(1);
    await tell('resume', runId);
    await until('alpha trains anew', async () => ((await live(runId))?.active[0]?.curve.length ?? 0) > 0);
    await tell('stop', runId);
    expect((await run.exited).code).toBe(130);
  });
});

describe('a run', () => {
  const broker = 'auto';

  it('whose process is killed while it is paused goes on by resume, to the same facts', async () => {
    const runId = 'killed';
    const run = start(runId, broker);
    await firstMeasured(runId);
    await post(`/runs/${runId}/pause`);
    run.child.kill('SIGKILL');
    await run.exited;
    expect(await tell('status', runId)).toMatchObject({ state: 'stopped', paused: false });
    const resumed = workplace.start(['resume', runId, '--workers', '1', '--broker', broker, '--json']);
    await resumed.summary();
    expect(await factsOf(runId)).toEqual(undisturbed);
  });

  it('that is told to stop ends with 130, and resume goes on to the same facts', async () => {
    const runId = 'stopped';
    const run = start(runId, broker);
    await firstMeasured(runId);
    expect(await post(`/runs/${runId}/stop`)).toMatchObject({ status: 200 });
    expect(await run.exited).toEqual({ code: 130, signal: null });
    expect(await tell('status', runId)).toMatchObject({ state: 'stopped' });
    expect(run.stderr).toMatch(/resume stopped" goes on/);
    await workplace.start(['resume', runId, '--workers', '1', '--broker', broker, '--json']).summary();
    expect(await factsOf(runId)).toEqual(undisturbed);
  });
});

it('what a run cannot follow in its state is refused with what it is, and by the API with 409', async () => {
  const run = start('states', 'local', '--set', 'alpha.epochs=200', '--priority', '7');
  await until('it trains', async () => (await live('states').catch(() => null))?.active.length);
  expect(await refused('resume', 'states')).toMatch(/run states is not paused: process \d+ is working on it/);
  expect((await post('/runs/states/resume')).status).toBe(409);
  expect(await tell('status', 'states')).toMatchObject({ priority: 7 });
  expect(await tell('priority', 'states', '-3')).toMatchObject({ priority: -3 });
  expect(await refused('priority', 'states', '101')).toContain('-100 to 100');
  await tell('stop', 'states');
  await run.exited;
  for (const command of ['pause', 'stop']) {
    expect(await refused(command, 'states')).toContain('run states is stopped: no process is working on it');
    const { status, body } = await post(`/runs/states/${command}`);
    expect([status, body.code]).toEqual([409, 'RUN_STATE']);
  }
  expect(await refused('pause', 'nobody')).toContain('there is no run nobody');
  // The priority outlives the process, the pause does not.
  expect(await snapshot('states')).toMatchObject({ state: 'stopped', paused: false, priority: -3 });
});

it('the API pauses, resumes, orders and stops a run of another process', async () => {
  const run = start('by-api', 'local', '--set', 'alpha.epochs=200');
  await until('it trains', async () => (await live('by-api').catch(() => null))?.active.length);
  expect(await post('/runs/by-api/pause', { now: true })).toMatchObject({ status: 200, body: { paused: true } });
  await until('nothing is under way', async () => (await live('by-api'))?.active.length === 0);
  expect(await snapshot('by-api')).toMatchObject({ state: 'running', paused: true });
  expect(await post('/runs/by-api/priority', { priority: 9 })).toMatchObject({ status: 200, body: { priority: 9 } });
  expect(await post('/runs/by-api/resume')).toMatchObject({ status: 200, body: { paused: false, priority: 9 } });
  await until('it trains', async () => (await live('by-api'))?.active.length);
  expect(await post('/runs/by-api/stop')).toMatchObject({ status: 200 });
  expect((await run.exited).code).toBe(130);
});

it('the API refuses what is no request of its own page or of a program', async () => {
  const status = async (...request: Parameters<typeof post>) => (await post(...request)).status;
  expect(await status('/runs/undisturbed/stop', {}, { Origin: 'http://elsewhere.example' })).toBe(403);
  expect(await status('/runs/undisturbed/stop', {}, { 'Sec-Fetch-Site': 'same-site' })).toBe(403);
  expect(await status('/runs/undisturbed/stop', {}, { 'Content-Type': 'text/plain' })).toBe(403);
  const Origin = server.url;
  expect(await status('/runs/undisturbed/stop', {}, { Origin, 'Content-Type': 'text/plain' })).toBe(415);
  expect(await status('/runs/undisturbed/priority', { priority: 1000 })).toBe(400);
  expect(await status('/runs/undisturbed/priority', { priority: 1, run: 'x' })).toBe(400);
  expect(await status('/runs/undisturbed/pause', '{')).toBe(400);
  expect(await status('/runs/nobody/pause')).toBe(404);
  expect(await status('/runs/..%2fnobody/pause')).toBe(400);
  expect(await status('/runs/undisturbed/pause')).toBe(409);
  // The server hangs up on a body that it does not read, perhaps before its answer has arrived.
  expect(await status('/runs/undisturbed/pause', { now: 'x'.repeat(300_000) }).catch(() => 413)).toBe(413);
});

interface Workers {
  readonly workers: readonly {
    name: string;
    state: string;
    pid: number;
    job: { runId: string; what: string } | null;
  }[];
}

it('a worker that is drained finishes its job and ends; another does the rest, to the same facts', async () => {
  const run = workplace.start(['run', experiment, '--run-id', 'drained', '--workers', '2', '--broker', 'auto'], {
    NESGD_PULSE_MS: '300',
  });
  const busy = await until('one of two is at an individual', async () => {
    // A connection that the server has hung up on, as after a body that was too large, may be tried once more.
    const answer = await fetch(`${server.url}/api/workers`).catch(() => undefined);
    if (!answer) return false;
    const { workers } = (await answer.json()) as Workers;
    return workers.length === 2 && workers.find(({ job }) => /^[01]+$/.test(job?.what ?? ''));
  });
  expect(await post(`/workers/${busy.name}/drain`)).toMatchObject({ status: 200, body: { state: 'draining' } });
  await until('it has ended', async () => run.stderr.includes(`${busy.name} was drained and has ended`));
  expect(run.stderr).not.toMatch(/another takes its place|gave it back/);
  const { workers } = await tell<Workers>('workers');
  expect(workers.map(({ name }) => name)).not.toContain(busy.name);
  expect(await run.exited, run.stderr).toEqual({ code: 0, signal: null });
  expect(await factsOf('drained')).toEqual(undisturbed);
  expect((await post(`/workers/${busy.name}/drain`)).status).toBe(404);
  expect(await refused('workers', 'drain', 'nobody')).toContain('there is no worker nobody');
});

it('two runs that share a worker end with the facts that each has alone, the one with priority first', async () => {
  const binary = findBrokerBinary(defaultCacheRoot(process.env), process.env);
  const broker = await startBroker(binary as string);
  try {
    const shared = (runId: string, ...args: string[]) =>
      workplace.start([
        'run',
        experiment,
        '--run-id',
        runId,
        '--workers',
        '0',
        '--broker',
        broker.url,
        '--json',
        ...args,
      ]);
    const runs = [shared('usual'), shared('urgent', '--priority', '5')];
    // Both have sent all jobs of a generation before there is anybody who could begin one.
    const waits = async (runId: string) => ((await live(runId).catch(() => null))?.jobs.waiting ?? 0) >= 4;
    await until('both wait', async () => (await waits('usual')) && (await waits('urgent')));
    const worker = workplace.start(['worker', '--broker', broker.url, '--name', 'shared']);
    await Promise.all(runs.map((run) => run.summary()));
    worker.child.kill('SIGTERM');
    await worker.exited;
    for (const runId of ['usual', 'urgent']) expect(await factsOf(runId)).toEqual(undisturbed);
    const log = worker.stdout.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line)] : []));
    const order = log.filter(({ msg }) => msg === 'job started').map(({ runId }) => runId as string);
    expect(order.slice(0, 4)).toEqual(['urgent', 'urgent', 'urgent', 'urgent']);
  } finally {
    await broker.stop();
  }
});

it('the API starts a run from a text, resumes it when it is stopped, and says of a wrong text which keys are', async () => {
  const text = stringify(tinyExperiment({ evolution: { populationSize: 5, generations: 1 } }));
  const wrong = await post('/runs', {
    experiment: text.replace('seed: 7', 'seed: -7').replace('epochs: 3', 'epochs: x'),
  });
  expect(wrong).toMatchObject({ status: 422, body: { code: 'EXPERIMENT' } });
  const faults = wrong.body.faults as { key: string; text: string }[];
  expect(faults.map(({ key }) => key).sort()).toEqual(['alpha.epochs', 'seed']);
  const file = await post('/runs', { experiment: text.replace('name: mnist', 'name: mnist\n  path: /etc') });
  expect(file).toMatchObject({ status: 422, body: { faults: [{ key: 'dataset.path' }] } });
  expect((await post('/runs', { experiment: text, runId: 'undisturbed' })).status).toBe(409);
  expect((await post('/runs', { experiment: text, runId: '../x' })).status).toBe(400);

  onTestFinished(async () => void (await post('/runs/posted/stop').catch(() => {})));
  const request = { experiment: text, runId: 'posted', workers: 1, priority: 3 };
  expect(await post('/runs', request)).toMatchObject({ status: 201, body: { runId: 'posted', state: 'running' } });
  // It cannot come to its end while a command starts.
  expect(await post('/runs/posted/pause')).toMatchObject({ status: 200, body: { paused: true } });
  expect(await tell('stop', 'posted')).toMatchObject({ state: 'stopped', priority: 3 });
  expect((await post('/runs/posted/retry')).status).toBe(409);
  expect(await post('/runs/posted/resume')).toMatchObject({ status: 200, body: { runId: 'posted' } });
  await until('it is over', async () => (await snapshot('posted')).state === 'finished');
  expect(await factsOf('posted')).toEqual(undisturbed);
});
