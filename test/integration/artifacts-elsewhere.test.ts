import { readdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { canonicalFacts, readJournal } from '@nesgd/core/run';
import { findBrokerBinary, type RunningBroker, startBroker } from '@nesgd/core/runtime';
import { defaultCacheRoot } from '@nesgd/core/storage';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cli, until, Workplace, writeExperiment } from '../support/cli.js';
import { tinyExperiment } from '../support/tiny.js';

const SECRET = 'secret-of-this-test-long-enough';

/** A worker whose cache folder is its own, as on another machine: data and weights come over HTTP, by their hashes. */
describe('a worker that shares no folder with the coordinator', () => {
  let here: Workplace;
  let elsewhere: Workplace;
  let broker: RunningBroker;
  let address: string;
  let experiment: string;
  let cli: Cli;

  const factsOf = async (runId: string) =>
    canonicalFacts((await readJournal(join(here.runs, runId, 'journal.jsonl'))).lines).filter(
      (f) => f.type !== 'opened',
    );
  const get = (path: string, token?: string) =>
    fetch(`${address}${path}`, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });

  beforeAll(async () => {
    here = await Workplace.create();
    elsewhere = await Workplace.create();
    const binary = findBrokerBinary(defaultCacheRoot(process.env), process.env);
    if (!binary) throw new Error('wants a redis-server or valkey-server: "npm test" provisions one');
    broker = await startBroker(binary);
    address = `http://127.0.0.1:${await freePort()}`;
    experiment = await writeExperiment(join(here.folder, 'tiny.yaml'), tinyExperiment());
    const listen = address.slice('http://'.length);
    const flags = ['--run-id', 'far', '--workers', '0', '--broker', broker.url, '--listen', listen];
    cli = here.start(['run', experiment, ...flags], { NESGD_SECRET: SECRET });
    await until(`the coordinator listens (${cli.stderr})`, async () =>
      get('/').then(
        () => true,
        () => false,
      ),
    );
  });

  afterAll(async () => {
    await here.destroy();
    await elsewhere.destroy();
    await broker.stop();
  });

  it('nobody without the secret is given anything, nor told what exists', async () => {
    const path = await until('the data set can be fetched', async () => {
      const { lines } = await readJournal(join(here.runs, 'far', 'journal.jsonl'));
      const opened = lines[0]?.fact;
      if (opened?.type !== 'opened') return undefined;
      const wanted = `/artifacts/datasets/${opened.data.dataset}`;
      return (await get(wanted, SECRET)).status === 200 && wanted;
    });
    for (const token of [undefined, '', 'wrong', SECRET.slice(1)]) expect((await get(path, token)).status).toBe(401);
    expect((await get(`/artifacts/datasets/${'0'.repeat(64)}`)).status).toBe(401);
  });

  it.each([
    '/artifacts/blobs/../../etc/passwd',
    '/artifacts/blobs/%2e%2e%2f%2e%2e%2fetc%2fpasswd',
    `/artifacts/blobs/${'0'.repeat(64)}`,
  ])('with the secret, %s is not found', async (path) => {
    expect((await get(path, SECRET)).status).toBe(404);
  });

  it('weights whose content is not what their name says are refused', async () => {
    const headers = { authorization: `Bearer ${SECRET}` };
    const put = await fetch(`${address}/artifacts/blobs/${'1'.repeat(64)}`, { method: 'PUT', headers, body: 'not it' });
    expect(put.ok).toBe(false);
    expect((await get(`/artifacts/blobs/${'1'.repeat(64)}`, SECRET)).status).toBe(404);
  });

  it('does the run, with the facts of a run beside its coordinator', async () => {
    const flags = ['--broker', broker.url, '--coordinator', address, '--name', 'far-away'];
    elsewhere.start(['worker', ...flags], { NESGD_SECRET: SECRET });
    expect(await cli.exited, cli.stderr).toMatchObject({ code: 0 });
    expect(cli.stderr).toContain('far-away');
    const near = here.start(['run', experiment, '--run-id', 'near', '--broker', 'local'], {});
    expect(await near.exited, near.stderr).toMatchObject({ code: 0 });
    expect(await factsOf('far')).toEqual(await factsOf('near'));
    expect(cli.stderr).not.toContain(SECRET);
  });

  it('listening beyond loopback without a secret is refused', async () => {
    const refused = here.start([
      'run',
      experiment,
      '--run-id',
      'open',
      '--broker',
      broker.url,
      '--listen',
      '0.0.0.0:0',
    ]);
    expect(await refused.exited, refused.stderr).toMatchObject({ code: 2 });
    expect(refused.stderr).toContain('NESGD_SECRET');
  });
});

it('Ctrl-C at the coordinator: the state of a training elsewhere gets there, and another machine goes on with it', async () => {
  const [here, first, second] = await Promise.all([Workplace.create(), Workplace.create(), Workplace.create()]);
  const binary = findBrokerBinary(defaultCacheRoot(process.env), process.env);
  const broker = await startBroker(binary as string);
  const listen = `127.0.0.1:${await freePort()}`;
  const env = { NESGD_SECRET: SECRET, NESGD_PULSE_MS: '300', NESGD_SNAPSHOT_EPOCHS: '1000' };
  const flags = ['--workers', '0', '--broker', broker.url];
  const worker = (place: Workplace) =>
    place.start(['worker', '--broker', broker.url, '--coordinator', `http://${listen}`, '--jobs', '30'], env);
  try {
    const alpha = { epochs: 12, learningRate: 0.05, batchSize: 16 };
    const experiment = await writeExperiment(
      join(here.folder, 'tiny.yaml'),
      tinyExperiment({ alpha, evolution: { populationSize: 2, generations: 0 } }),
    );
    const stopped = here.start(['run', experiment, '--run-id', 'stopped', ...flags, '--listen', listen], env);
    const early = worker(first);
    await until('alpha has come some way', async () => /alpha.*epoch [3-9]/.test(stopped.stderr));
    stopped.child.kill('SIGINT');
    expect(await stopped.exited, stopped.stderr).toMatchObject({ code: 130 });
    expect(stopped.stderr).toContain('waits up to 8 s for the state of 1 training on other machines');
    expect(await readdir(join(here.folder, 'cache', 'snapshots'))).toHaveLength(1);
    await until(
      'the other machine keeps none',
      async () => (await readdir(join(first.folder, 'cache', 'snapshots'))).length === 0,
    );
    early.child.kill('SIGTERM');
    await early.exited;
    const late = worker(second);
    const resumed = here.start(['resume', 'stopped', ...flags, '--listen', listen], env);
    expect(await resumed.exited, resumed.stderr).toMatchObject({ code: 0 });
    expect(late.stdout).toContain('goes on from its snapshot');
    const undisturbed = here.start(['run', experiment, '--run-id', 'undisturbed', '--broker', 'local'], {
      NESGD_CACHE: join(second.folder, 'cache'),
    });
    expect(await undisturbed.exited, undisturbed.stderr).toMatchObject({ code: 0 });
    const facts = async (runId: string) =>
      canonicalFacts((await readJournal(join(here.runs, runId, 'journal.jsonl'))).lines).slice(1);
    expect(await facts('stopped')).toEqual(await facts('undisturbed'));
  } finally {
    await Promise.all([here, first, second].map((place) => place.destroy()));
    await broker.stop();
  }
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer();
    server.listen(0, '127.0.0.1', () => {
      const bound = server.address();
      server.close(() => resolve(typeof bound === 'object' && bound ? bound.port : 0));
    });
  });
}
