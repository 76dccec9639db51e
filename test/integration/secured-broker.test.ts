import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer, type Server } from 'node:tls';
import { canonicalFacts, readJournal } from '@nesgd/core/run';
import { findBrokerBinary } from '@nesgd/core/runtime';
import { defaultCacheRoot } from '@nesgd/core/storage';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until, Workplace, writeExperiment } from '../support/cli.js';
import { tinyExperiment } from '../support/tiny.js';

/**
 * A broker behind TLS that knows one user, with no more rights than docs/security.md lists. (TLS ends in a proxy of this
 * test, as the broker that set-up provisions is built without it: to its clients that is the same.)
 */
let workplace: Workplace;
let server: ChildProcess;
let experiment: string;
let certificate: string;
let port: number;
let proxy: Server;
const PASSWORD = 'password-of-this-test';
const url = (user = 'nesgd', password = PASSWORD) => `rediss://${user}:${password}@127.0.0.1:${port}`;

beforeAll(async () => {
  workplace = await Workplace.create();
  const evolution = { populationSize: 3, generations: 1 };
  experiment = await writeExperiment(join(workplace.folder, 'tiny.yaml'), tinyExperiment({ evolution }));
  const binary = findBrokerBinary(defaultCacheRoot(process.env), process.env);
  if (!binary) throw new Error('wants a redis-server or valkey-server: "npm test" provisions one');
  certificate = join(workplace.folder, 'certificate.pem');
  const key = join(workplace.folder, 'key.pem');
  const self = [
    '-x509',
    '-nodes',
    '-days',
    '2',
    '-subj',
    '/CN=broker of a test',
    '-addext',
    'subjectAltName=IP:127.0.0.1',
  ];
  const files = ['-keyout', key, '-out', certificate];
  execFileSync('openssl', ['req', ...self, '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', ...files], {
    stdio: 'pipe',
  });
  port = await freePort();
  const behind = await freePort();
  const settings = join(workplace.folder, 'broker.conf');
  const user = `user nesgd on >${PASSWORD} ${await documentedRights()}`;
  const lines = [
    'bind 127.0.0.1',
    `port ${behind}`,
    'save ""',
    'maxmemory-policy noeviction',
    'user default off',
    user,
  ];
  await writeFile(settings, `${lines.join('\n')}\n`);
  server = spawn(binary, [settings], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  server.stdout?.on('data', (text) => {
    said += text;
  });
  await until('the broker is there', async () => /Ready to accept connections/.test(said));
  proxy = createTlsServer({ key: await readFile(key), cert: await readFile(certificate) }, (near) => {
    const far = connect({ host: '127.0.0.1', port: behind });
    near.on('error', () => far.destroy()).pipe(far);
    far.on('error', () => near.destroy()).pipe(near);
  });
  proxy.on('tlsClientError', () => {}); // Who does not trust the certificate hangs up.
  proxy.listen(port, '127.0.0.1');
  await once(proxy, 'listening');
});
afterAll(async () => {
  proxy.close();
  server.kill('SIGKILL');
  await workplace.destroy();
});

/** From the line of docs/security.md that is there to be copied. */
async function documentedRights(): Promise<string> {
  const document = await readFile(new URL('../../docs/security.md', import.meta.url), 'utf8');
  const [, rights] = /^user nesgd on >PASSWORD (.+)$/m.exec(document) ?? [];
  if (!rights) throw new Error('docs/security.md has no line "user nesgd on >PASSWORD ..."');
  return rights;
}

it('a run with its workers goes through it, given the certificate, as it goes without a broker', async () => {
  const env = { NODE_EXTRA_CA_CERTS: certificate };
  const cli = workplace.start(
    ['run', experiment, '--run-id', 'tls', '--workers', '2', '--broker', url(), '--json'],
    env,
  );
  await cli.summary();
  expect(cli.stderr).not.toContain(PASSWORD);
  await workplace.start(['run', experiment, '--run-id', 'local', '--broker', 'local', '--json']).summary();
  const factsOf = async (id: string) =>
    canonicalFacts((await readJournal(join(workplace.runs, id, 'journal.jsonl'))).lines).slice(1);
  expect(await factsOf('tls')).toEqual(await factsOf('local'));
});

it.each([
  ['a certificate that nobody vouches for', () => url(), {}, /self-signed certificate/],
  ['a wrong password', () => url('nesgd', 'wrong'), 'with certificate', /it refuses the user or password given/],
  ['the default user', () => url('default'), 'with certificate', /it refuses the user or password given/],
  ['no TLS', () => url().replace('rediss', 'redis'), {}, /cannot be used/],
])('%s is refused before anything is done', async (_, address, given, says) => {
  const env = given === 'with certificate' ? { NODE_EXTRA_CA_CERTS: certificate } : {};
  const cli = workplace.start(['run', experiment, '--run-id', 'refused', '--broker', address()], env);
  expect(await cli.exited).toEqual({ code: 1, signal: null });
  expect(cli.stderr).toMatch(says);
  expect(cli.stderr).not.toContain(PASSWORD);
});

it("the user's rights end at nesgd's own keys and at what administers the broker", async () => {
  const connection = new Redis(url(), { tls: { ca: await readFile(certificate) } });
  const refused: [string, ...string[]][] = [
    ['set', 'other', '1'],
    ['get', 'other'],
    ['flushall'],
    ['keys', '*'],
    ['config', 'get', '*'],
    ['acl', 'list'],
    ['shutdown'],
    ['replicaof', 'localhost', '1'],
  ];
  for (const [command, ...args] of refused) {
    await expect(connection.call(command, ...args), command).rejects.toThrow(/NOPERM/);
  }
  connection.disconnect();
  await once(connection, 'end');
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.listen(0, '127.0.0.1', () => {
      const bound = probe.address();
      probe.close(() => resolve(typeof bound === 'object' && bound ? bound.port : 0));
    });
  });
}
