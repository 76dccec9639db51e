import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { canonicalFacts, type Fact, readJournal } from '@nesgd/core/run';
import { findBrokerBinary } from '@nesgd/core/runtime';
import { defaultCacheRoot } from '@nesgd/core/storage';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Cli, MAIN, until, Workplace, writeExperiment } from '../support/cli.js';
import { tinyExperiment } from '../support/tiny.js';
import { type TwoMachines, twoMachines } from './two-machines.js';

const SECRET = 'secret-of-this-test-long-enough';
const PASSWORD = 'password-of-the-broker';
const [BROKER_PORT, COORDINATOR_PORT] = [6379, 7300];
/** Long enough for a worker's lock to run out (1.5 s). */
const CUT_MS = 3_000;

/** One namespace has broker and coordinator, the other two workers with a cache folder of their own. */
describe('a run on two machines', () => {
  let machines: TwoMachines;
  let home: Workplace;
  let away: Workplace;
  let alone: Workplace;
  let experiment: string;
  let workers: Cli[];
  let coordinator: Cli;

  const journal = ({ runs }: Workplace) => join(runs, 'r', 'journal.jsonl');
  const factsOf = async (place: Workplace): Promise<Fact[]> =>
    canonicalFacts((await readJournal(journal(place))).lines);

  beforeAll(async () => {
    machines = await twoMachines();
    home = await Workplace.create();
    away = await Workplace.create();
    alone = await Workplace.create();
    experiment = await writeExperiment(join(home.folder, 'tiny.yaml'), tinyExperiment());
    const binary = findBrokerBinary(defaultCacheRoot(process.env), process.env);
    if (!binary) throw new Error('wants a redis-server or valkey-server: "npm run test:network" provisions one');

    const { address } = machines.here;
    const brokerUrl = `redis://:${PASSWORD}@${address}:${BROKER_PORT}`;
    const options = { bind: address, port: BROKER_PORT, requirepass: PASSWORD, save: '', appendonly: 'no' };
    const flags = Object.entries(options).flatMap(([key, value]) => [`--${key}`, String(value)]);
    const broker = new Cli(machines.here.spawn(binary, flags, { cwd: home.folder, env: home.env }));
    await until(`the broker is ready (${broker.stdout})`, async () => /ready to accept/i.test(broker.stdout));

    const run = ['run', experiment, '--run-id', 'r', '--workers', '0', '--listen', `${address}:${COORDINATOR_PORT}`];
    coordinator = new Cli(
      machines.here.spawn(process.execPath, [MAIN, ...run], {
        cwd: home.folder,
        env: { ...home.env, REDIS_URL: brokerUrl, NESGD_SECRET: SECRET },
      }),
    );
    workers = ['far-1', 'far-2'].map((name) => {
      const coordinatorUrl = `http://${address}:${COORDINATOR_PORT}`;
      return new Cli(
        machines.elsewhere.spawn(process.execPath, [MAIN, 'worker', '--name', name, '--coordinator', coordinatorUrl], {
          cwd: away.folder,
          env: { ...away.env, REDIS_URL: brokerUrl, NESGD_SECRET: SECRET },
        }),
      );
    });
  });

  afterAll(async () => {
    await machines?.remove();
    await home?.destroy();
    await away?.destroy();
    await alone?.destroy();
  });

  it('a stranger who reaches the address gets 401', async () => {
    const url = `http://${machines.here.address}:${COORDINATOR_PORT}/`;
    const script = `fetch('${url}').then((r) => console.log(r.status), () => console.log('none'))`;
    await until('the coordinator listens', async () => {
      const stranger = new Cli(
        machines.elsewhere.spawn(process.execPath, ['-e', script], { cwd: away.folder, env: away.env }),
      );
      await stranger.exited;
      return stranger.stdout.trim() === '401';
    });
  });

  it('gives the facts of a run beside its coordinator, though the cable was pulled meanwhile', async () => {
    await until(`two individuals are measured (${coordinator.stderr})`, async () => {
      const { lines } = await readJournal(journal(home)).catch(() => ({ lines: [] }));
      return lines.filter(({ fact }) => fact.type === 'evaluated').length >= 2;
    });
    await machines.cable('down');
    await delay(CUT_MS);
    await machines.cable('up');
    const logs = () => [coordinator.stderr, ...workers.map((worker) => worker.stdout)].join('\n');
    expect(await coordinator.exited, logs()).toMatchObject({ code: 0 });

    const near = alone.start(['run', experiment, '--run-id', 'r', '--broker', 'local']);
    expect(await near.exited, near.stderr).toMatchObject({ code: 0 });
    expect(await factsOf(home)).toEqual(await factsOf(alone));
  });

  it('sent the data set once, for both workers', async () => {
    const fetched = workers
      .flatMap((worker) => worker.stdout.split('\n'))
      .filter((line) => /"msg":"fetched"/.test(line));
    expect(fetched.filter((line) => line.includes('"datasets"')).length).toBe(1);
    expect((await readdir(join(away.env.NESGD_CACHE as string, 'datasets'))).length).toBe(1);
  });

  it('shows neither secret nor password in a log', () => {
    const said = [coordinator, ...workers].map(({ stdout, stderr }) => stdout + stderr).join('\n');
    expect(said).not.toContain(SECRET);
    expect(said).not.toContain(PASSWORD);
  });
});
