import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { findBrokerBinary, startBroker } from '@nesgd/core/runtime';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RunSummary } from '../../apps/coordinator/src/run-events.js';
import { until, Workplace, writeExperiment } from '../support/cli.js';
import { tinyExperiment } from '../support/tiny.js';

/** `nesgd run --serve` and `nesgd serve` as processes. The page itself is looked at in test/browser. */
let workplace: Workplace;
let experiment: string;

beforeAll(async () => {
  workplace = await Workplace.create();
  experiment = await writeExperiment(
    join(workplace.folder, 'tiny.yaml'),
    tinyExperiment({ evolution: { populationSize: 2, generations: 0 } }),
  );
});
afterAll(() => workplace?.destroy());

/** A request with any Host, which fetch does not allow. */
function ask(url: string, host?: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const { hostname, port, pathname, search } = new URL(url);
    request({ hostname, port, path: pathname + search, headers: host ? { Host: host } : {} }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    })
      .on('error', reject)
      .end();
  });
}

it('run --serve shows the run from its first fact on, still when it is over, and ends with 0 on Ctrl-C', async () => {
  const run = workplace.start(['run', experiment, '--run-id', 'served', '--workers', '1', '--serve', '0'], {
    NESGD_SECRET: '',
  });
  const url = await until('the address is said', async () => /dashboard: (http:\S+)/.exec(run.stderr)?.[1]);
  const api = `${url}/api/runs/served`;
  await until('the run is shown', async () => (await ask(api)).status === 200);
  await until('its training is shown', async () => {
    const { live } = JSON.parse((await ask(api)).body);
    return live?.active.some((job: { curve: unknown[] }) => job.curve.length > 0);
  });
  await until('the run is over', async () => run.stderr.includes('the dashboard stays'));
  expect(JSON.parse((await ask(api)).body)).toMatchObject({ state: 'finished', live: { active: [] } });
  run.child.kill('SIGINT');
  expect(await run.exited).toEqual({ code: 0, signal: null });
});

it('run --serve that is stopped before its end exits with 130, as ever', async () => {
  const run = workplace.start(
    ['run', experiment, '--run-id', 'stopped', '--workers', '1', '--serve', '0', '--set', 'alpha.epochs=50'],
    { NESGD_SECRET: '' },
  );
  await until('it trains', async () => /alpha/.test(run.stderr) && /dashboard: /.test(run.stderr));
  run.child.kill('SIGINT');
  expect((await run.exited).code).toBe(130);
});

it('run --or-resume goes on with the run of that name, and not with one of another experiment', async () => {
  const start = (...more: string[]) =>
    workplace.start(['run', experiment, '--run-id', 'again', '--or-resume', '--workers', '1', '--json', ...more]);
  const { best } = await start().summary<RunSummary>();
  const journal = await readFile(join(workplace.runs, 'again', 'journal.jsonl'));
  const again = start();
  expect(await again.summary()).toMatchObject({ runId: 'again', best });
  expect(await readFile(join(workplace.runs, 'again', 'journal.jsonl'))).toEqual(journal);
  const other = start('--set', 'seed=8');
  expect((await other.exited).code).toBe(2);
  expect(other.stderr).toMatch(/run again is of another experiment .*give another --run-id/);
  const nameless = workplace.start(['run', experiment, '--or-resume']);
  expect((await nameless.exited).code).toBe(2);
  expect(nameless.stderr).toMatch(/--or-resume: say by --run-id which run/);
});

it('run --serve-host beyond this machine wants a secret before any work', async () => {
  const run = workplace.start(['run', experiment, '--serve', '0', '--serve-host', '0.0.0.0'], { NESGD_SECRET: '' });
  expect((await run.exited).code).toBe(2);
  expect(run.stderr).toMatch(/--host 0\.0\.0\.0: beyond this machine the dashboard wants a login: set NESGD_SECRET/);
});

it('probes are answered without the secret: /healthz always, /readyz while the broker answers', async () => {
  const binary = findBrokerBinary(workplace.env.NESGD_CACHE as string, process.env);
  if (!binary) throw new Error('this test needs a redis-server or valkey-server: "npm test" provisions one');
  const broker = await startBroker(binary);
  const env = { NESGD_SECRET: 'x'.repeat(16), REDIS_URL: broker.url };
  const served = workplace.start(['serve', '--port', '0', '--host', '0.0.0.0', '--json'], env);
  const { url } = JSON.parse(await until('it serves', async () => served.stdout.trim() || undefined));
  const status = async (path: string) => (await ask(url.replace('0.0.0.0', '127.0.0.1') + path)).status;
  await until('it is ready', async () => (await status('/readyz')) === 200);
  expect(await status('/api/runs')).toBe(401);
  await broker.stop();
  await until('it is not ready', async () => (await status('/readyz')) === 503);
  expect(await status('/healthz')).toBe(200);
});

it('without a secret it answers to this machine alone: another name, which a web page could have, gets nothing', async () => {
  const served = workplace.start(['serve', '--port', '0', '--json'], { NESGD_SECRET: '' });
  const { url } = JSON.parse(await until('it serves', async () => served.stdout.trim() || undefined));
  expect((await ask(`${url}/api/runs`)).status).toBe(200);
  const refused = await ask(`${url}/api/runs`, 'elsewhere.example');
  expect([refused.status, refused.body.includes('served')]).toEqual([421, false]);
  for (const path of [
    '/api/runs/..%2f..%2fetc',
    '/api/runs/%00',
    '/api/runs/served?after=x',
    '/api/runs/served/events?after=-7',
  ])
    expect([path, (await ask(url + path)).status]).toEqual([path, 400]);
  expect((await ask(`${url}/assets/../../../../etc/passwd`)).body).not.toContain('root:');
  served.child.kill('SIGTERM');
  expect(await served.exited).toEqual({ code: 0, signal: null });
});

it.each([
  [['--host', '0.0.0.0'], 'NESGD_SECRET'],
  [['--port', '70000'], 'wants a port'],
  [['--port', 'x'], 'wants a port'],
])('serve %j is refused with exit code 2: %s', async (args, reason) => {
  const cli = workplace.start(['serve', ...args], { NESGD_SECRET: '' });
  expect((await cli.exited).code).toBe(2);
  expect(cli.stderr).toContain(reason);
});
