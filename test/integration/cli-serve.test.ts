import { request } from 'node:http';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
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
