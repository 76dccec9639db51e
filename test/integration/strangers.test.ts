import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { createServer, connect as tcp } from 'node:net';
import { join } from 'node:path';
import { rngAt } from '@nesgd/core/evolution';
import { PROTOCOL_VERSION, QUEUE_NAME, QUEUE_PREFIX } from '@nesgd/core/protocol';
import { canonicalFacts, readJournal } from '@nesgd/core/run';
import { findBrokerBinary, type RunningBroker, startBroker } from '@nesgd/core/runtime';
import { defaultCacheRoot } from '@nesgd/core/storage';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Cli, isAlive, until, Workplace, writeExperiment } from '../support/cli.js';
import { tinyExperiment } from '../support/tiny.js';

/**
 * Strangers on the network: a thousand requests to a run's two services, by HTTP and by bare sockets, and a thousand jobs
 * on its queue from somebody who has the broker's password. Drawn from a seed, so that what fails once fails again.
 */
const SECRET = 'secret-of-this-test-long-enough';
const SEED = 1;
const REQUESTS = 1_000;
const JOBS = 1_000;
/**
 * What a process may grow by: were each request or job kept, it would be gigabytes; a thousand connections with their
 * headers and the buffers of their sockets are 70 MB, and V8 lets garbage lie for a while.
 */
const MOST_GROWTH_MB = 250;

const rng = rngAt(SEED, 'strangers');
const draw = (below: number): number => rng.nextUint32() % below;
const pick = <T>(from: readonly T[]): T => from[draw(from.length)]!;
const noise = (length: number) => Buffer.from(Uint8Array.from({ length }, () => draw(256)));
const hex = (length: number) => noise(length).toString('hex').slice(0, length);

let workplace: Workplace;
let broker: RunningBroker;
let cli: Cli;
let artifacts: number;
let dashboard: number;

beforeAll(async () => {
  workplace = await Workplace.create();
  const binary = findBrokerBinary(defaultCacheRoot(process.env), process.env);
  if (!binary) throw new Error('wants a redis-server or valkey-server: "npm test" provisions one');
  broker = await startBroker(binary);
  [artifacts, dashboard] = [await freePort(), await freePort()];
  const evolution = { populationSize: 3, generations: 1 };
  const experiment = await writeExperiment(join(workplace.folder, 'tiny.yaml'), tinyExperiment({ evolution }));
  const where = ['--broker', broker.url, '--listen', `127.0.0.1:${artifacts}`, '--serve', `${dashboard}`];
  cli = workplace.start(['run', experiment, '--run-id', 'r', '--workers', '0', ...where], { NESGD_SECRET: SECRET });
  await until(`both services listen (${cli.stderr})`, async () =>
    Promise.all([artifacts, dashboard].map((port) => fetch(`http://127.0.0.1:${port}/`))).then(
      () => true,
      () => false,
    ),
  );
});
afterAll(async () => {
  await workplace.destroy();
  await broker.stop();
});

async function residentMb(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
}

/** What a bare socket says, and what is answered until either end closes it. */
async function say(port: number, bytes: Uint8Array): Promise<string> {
  const socket = tcp({ host: '127.0.0.1', port });
  let answer = '';
  socket.setEncoding('latin1').on('data', (text) => {
    answer += text;
  });
  socket.on('error', () => {}); // It may be cut while we speak.
  const closed = once(socket, 'close');
  // Half of what was announced may never come: after a moment without another word we hang up.
  socket.setTimeout(300, () => socket.destroy());
  socket.end(bytes);
  await closed;
  return answer;
}

const PATHS = [
  () => `/artifacts/blobs/${hex(64)}`,
  () => `/artifacts/datasets/${hex(64)}`,
  () => `/artifacts/blobs/${'../'.repeat(1 + draw(9))}etc/passwd`,
  () => '/artifacts/blobs/%2e%2e%2f%2e%2e%2fetc%2fpasswd',
  () => `/artifacts/blobs/${hex(64)}%00.txt`,
  () => `/artifacts/${hex(8)}/${hex(64).toUpperCase()}`,
  () => `//${hex(4)}/artifacts/blobs/${hex(64)}`,
  () => `/api/runs/${'../'.repeat(1 + draw(9))}etc/passwd`,
  () => '/api/runs/..%2f..%2fetc%2fpasswd/logs',
  () => `/api/runs/r/events?after=${pick(['x', '-9', '1e99', ''])}`,
  () => `/api/runs/${hex(200)}`,
  () => `/assets/${'../'.repeat(1 + draw(9))}package.json`,
  () => `/${noise(20).toString('base64url')}`,
  () => `http://169.254.169.254/${hex(6)}`,
  () => '*',
];
const METHODS = ['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND', 'get', 'G\u0000T'];
const TOKENS = [
  () => [],
  () => ['Authorization: Bearer '],
  () => [`Authorization: Bearer ${SECRET.slice(1)}`],
  () => [`Authorization: Bearer ${SECRET}x`],
  () => [`Authorization: bearer${SECRET}`],
  () => [`Authorization: Basic ${Buffer.from(`x:${SECRET}`).toString('base64')}`],
  () => [`Authorization: Bearer ${hex(5_000)}`],
  () => [`Cookie: nesgd_session=${hex(64)}`],
  () => [`X-Token: ${SECRET}`],
];
const BODIES: (() => { headers: string[]; body: Uint8Array })[] = [
  () => ({ headers: [], body: Buffer.alloc(0) }),
  () => ({ headers: ['Content-Length: 1000000000000'], body: noise(2_000) }),
  () => ({ headers: [`Content-Length: ${5_000 + draw(5_000)}`], body: noise(draw(5_000)) }),
  () => ({ headers: ['Content-Length: -1'], body: noise(10) }),
  () => ({ headers: ['Transfer-Encoding: chunked'], body: Buffer.from(`${hex(3)}\r\n${hex(40)}\r\nzz\r\n`) }),
  () => ({
    headers: ['Content-Length: 5', 'Transfer-Encoding: chunked'],
    body: Buffer.from('0\r\n\r\nGET / HTTP/1.1\r\n\r\n'),
  }),
  () => ({ headers: ['Content-Type: application/json', 'Content-Length: 9'], body: Buffer.from('{"a":[[[[') }),
  () => ({
    headers: ['Content-Type: application/x-www-form-urlencoded', 'Content-Length: 12'],
    body: Buffer.from('secret=wrong'),
  }),
];
const ODD_HEADERS = [
  () => [],
  () => [`Range: bytes=${pick(['9-1', '-', 'x-y', '99999999999999999999-', '0-0,1-1'])}`],
  () => [`X-Long: ${hex(20_000)}`],
  () => Array.from({ length: 200 }, (_, i) => `X-${i}: ${hex(30)}`),
  () => ['Expect: 100-continue'],
  () => ['Upgrade: websocket', 'Connection: Upgrade'],
  () => ['Host: evil.example', 'Host: other.example'],
];

/** A request as bytes. Who has the secret asks for what there is not, or in a way in which nothing is given. */
function request(): Uint8Array {
  const kind = draw(10);
  if (kind === 0) return noise(1 + draw(4_000));
  const { headers, body } = pick(BODIES)();
  const token = kind < 7 ? pick(TOKENS)() : [`Authorization: Bearer ${SECRET}`];
  const head = [
    `${pick(METHODS)} ${pick(PATHS)()} ${pick(['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0', 'HTTP/9.9', ''])}`,
    'Host: 127.0.0.1',
    ...token,
    ...pick(ODD_HEADERS)(),
    ...headers,
  ];
  return Buffer.concat([Buffer.from(`${head.join('\r\n')}\r\n\r\n`, 'latin1'), body]);
}

it(`${REQUESTS} malformed or unauthorised requests: none is accepted, none ends a service, none stays in memory`, async () => {
  const pid = cli.child.pid as number;
  const before = await residentMb(pid);
  const answers: { said: string; answer: string }[] = [];
  for (let sent = 0; sent < REQUESTS; sent += 50) {
    const batch = Array.from({ length: 50 }, (_, i) => ({ port: i % 2 ? artifacts : dashboard, bytes: request() }));
    const answered = await Promise.all(batch.map(({ port, bytes }) => say(port, bytes)));
    for (const [i, answer] of answered.entries()) {
      answers.push({ said: Buffer.from(batch[i]!.bytes).toString('latin1').slice(0, 300), answer });
    }
  }
  for (const { said, answer } of answers) {
    // Who has logged in gets the page under every path of its own making, and nothing else.
    const isPage = said.includes(`Authorization: Bearer ${SECRET}\r\n`) && /^content-type: text\/html/im.test(answer);
    if (isPage) continue;
    const statuses = [...answer.matchAll(/^HTTP\/1\.1 (\d{3})/gm)].map(([, status]) => Number(status));
    expect(
      statuses.filter((status) => status >= 200 && status < 300),
      said,
    ).toEqual([]);
    expect(
      statuses.filter((status) => status >= 500 && status !== 501),
      said,
    ).toEqual([]);
    expect(answer, said).not.toContain(SECRET);
    expect(answer, said).not.toMatch(/root:|"opened"|\n {4}at /);
  }
  // Else the storm went by without meeting anything.
  expect(answers.filter(({ answer }) => answer.startsWith('HTTP/1.1 401')).length).toBeGreaterThan(75);
  expect(answers.filter(({ answer }) => /^HTTP\/1\.1 40[045]/.test(answer)).length).toBeGreaterThan(100);

  expect(await isAlive(pid)).toBe(true);
  const headers = { authorization: `Bearer ${SECRET}` };
  expect((await fetch(`http://127.0.0.1:${dashboard}/api/runs/r`, { headers })).status).toBe(200);
  expect((await fetch(`http://127.0.0.1:${artifacts}/`, { headers })).status).toBe(404);
  const cache = workplace.env.NESGD_CACHE as string;
  expect(await readdir(join(cache, 'incoming')).catch(() => [])).toEqual([]);
  expect((await residentMb(pid)) - before).toBeLessThan(MOST_GROWTH_MB);
});

/** A job that a worker would do, but for its data set and weights, which nobody has. */
const wellFormed = () => ({
  version: PROTOCOL_VERSION,
  runId: 'stranger',
  seed: 1,
  runtime: { engine: 'wasm', threads: 1 },
  data: {
    dataset: hex(64),
    trainImages: 10,
    testImages: 10,
    validationFraction: 0.2,
    augmentation: { padCrop: 0, horizontalFlip: false },
  },
  model: { name: 'resnet8', granularity: 'block' },
  measureOn: 'validation',
  kind: 'measure',
  weights: hex(64),
});
type Loose = Record<string, unknown>;
const WRONG_VALUES: (() => unknown)[] = [
  () => null,
  () => '',
  () => -1,
  () => 1e308,
  () => 0.5,
  () => '../../../../etc/passwd',
  () => `/etc/passwd\u0000${hex(40)}`,
  () => hex(64).toUpperCase(),
  () => ({ __proto__: null, constructor: 1 }),
  () => 'x'.repeat(200_000),
  () => Array.from({ length: 5_000 }, () => hex(8)),
  () => JSON.parse(`${'['.repeat(500)}${']'.repeat(500)}`),
];
const MALFORMED: (() => unknown)[] = [
  () => pick(WRONG_VALUES)(),
  () => ({ ...wellFormed(), version: pick<unknown>([-1, '2', null, 1.5, [PROTOCOL_VERSION]]) }),
  () => ({ ...wellFormed(), [pick(['path', 'code', 'url', hex(6)])]: pick(WRONG_VALUES)() }),
  () => ({ ...wellFormed(), [pick(Object.keys(wellFormed()))]: pick(WRONG_VALUES)() }),
  () => {
    const job: Loose = wellFormed();
    delete job[pick(Object.keys(job))];
    return job;
  },
  () => {
    const job = wellFormed();
    const data: Loose = job.data;
    data[pick(Object.keys(data))] = pick(WRONG_VALUES)();
    return job;
  },
  () => ({ ...wellFormed(), runtime: pick<unknown>([{ engine: 'sh' }, { engine: 'wasm', threads: 1e9 }, 'wasm', []]) }),
  () => ({ ...wellFormed(), kind: pick(['shell', 'evaluate', 'alpha', '__proto__']) }),
];

it(`${JOBS} malformed jobs from a stranger with the password: none is done, the worker stays, and the run comes to its facts`, async () => {
  const connection = new Redis(broker.url, { maxRetriesPerRequest: null });
  const queue = new Queue(QUEUE_NAME, { connection, prefix: QUEUE_PREFIX });
  const worker = workplace.start(['worker', '--broker', broker.url, '--name', 'besieged'], {
    NESGD_LOG_LEVEL: 'silent',
  });
  const record = await until(`the worker is there (${worker.stderr})`, async () =>
    connection.get(`${QUEUE_PREFIX}:worker:besieged`).then((text) => text ?? undefined),
  );
  const { pid } = JSON.parse(record) as { pid: number };
  const before = await residentMb(pid);
  const jobs = Array.from({ length: JOBS }, (_, i) => ({
    name: 'job',
    data: pick(MALFORMED)(),
    opts: { jobId: `stranger-${i}` },
  }));
  for (let i = 0; i < JOBS; i += 100) await queue.addBulk(jobs.slice(i, i + 100));

  const linesOf = async (id: string) => (await readJournal(join(workplace.runs, id, 'journal.jsonl'))).lines;
  await until(`the run has ended (${cli.stderr})`, async () =>
    (await linesOf('r')).some(({ fact }) => fact.type === 'finished'),
  );
  const states = await until('every job of the stranger has met its end', async () => {
    const ended = await Promise.all(jobs.map(({ opts }) => queue.getJobState(opts.jobId)));
    return ended.every((state) => state === 'failed' || state === 'completed') && ended;
  });
  expect(states.filter((state) => state !== 'failed')).toEqual([]);
  expect(await isAlive(pid)).toBe(true);
  expect((await residentMb(pid)) - before).toBeLessThan(MOST_GROWTH_MB);
  expect(await readdir(workplace.env.NESGD_CACHE as string)).not.toContain('etc');
  await queue.close();
  connection.disconnect();
  worker.child.kill('SIGTERM');
  await worker.exited;

  const calm = workplace.start(['run', 'tiny.yaml', '--run-id', 'calm', '--broker', 'local', '--json']);
  await calm.summary();
  const factsOf = async (id: string) => canonicalFacts(await linesOf(id)).filter(({ type }) => type !== 'opened');
  expect(await factsOf('r')).toEqual(await factsOf('calm'));
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
