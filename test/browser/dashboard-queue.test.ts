import { QUEUE_NAME, QUEUE_PREFIX } from '@nesgd/core/protocol';
import { findBrokerBinary, type RunningBroker, startBroker } from '@nesgd/core/runtime';
import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../support/cli.js';
import { DashboardTest } from './dashboard-support.js';

/** bull-board and the broker's metrics, with a real broker. */
const SECRET = 'a-secret-of-enough-length';
let test: DashboardTest;
let broker: RunningBroker;
let connection: Redis;

beforeAll(async () => {
  test = await DashboardTest.create();
  const binary = findBrokerBinary(test.workplace.env.NESGD_CACHE ?? '', process.env);
  if (!binary) throw new Error('wants a redis-server or valkey-server: "npm test" provisions one');
  broker = await startBroker(binary);
  connection = new Redis(broker.url, { maxRetriesPerRequest: null });
  const queue = new Queue(QUEUE_NAME, { connection, prefix: QUEUE_PREFIX });
  await queue.add('evaluate', { mask: '10110' }, { jobId: 'looked-at' });
  await queue.close();
  await test.serve({ NESGD_SECRET: SECRET, REDIS_URL: broker.url });
});
afterAll(async () => {
  connection?.disconnect();
  await test?.destroy();
  await broker?.stop();
});

const ask = (path: string, init: RequestInit = {}) =>
  fetch(test.url + path, { ...init, headers: { Authorization: `Bearer ${SECRET}`, Origin: test.url } });

it('bull-board shows the queue behind the login, and changes nothing', async () => {
  for (const path of ['/queue', '/queue/api/queues', '/queue/static/js/main.js'])
    expect([path, (await fetch(test.url + path)).status]).toEqual([path, 401]);

  const page = await test.page();
  await page.goto(`${test.url}/login`);
  await page.getByLabel('Secret').fill(SECRET);
  await page.getByRole('button', { name: 'Log in' }).click();
  await page.getByRole('heading', { name: 'Runs' }).waitFor();
  await page.getByRole('link', { name: 'Queue' }).click();
  await page.waitForURL(`${test.url}/queue`);
  await page.goto(`${test.url}/queue/queue/${QUEUE_NAME}?status=waiting`);
  await page.getByText('looked-at').first().waitFor();

  const key = `${QUEUE_PREFIX}:${QUEUE_NAME}`;
  const before = await connection.hgetall(`${key}:looked-at`);
  for (const [method, path] of [
    ['PUT', `/queue/api/queues/${QUEUE_NAME}/looked-at/clean`],
    ['PUT', `/queue/api/queues/${QUEUE_NAME}/pause`],
    ['PUT', `/queue/api/queues/${QUEUE_NAME}/empty`],
    ['PUT', `/queue/api/queues/${QUEUE_NAME}/obliterate`],
    ['POST', `/queue/api/queues/${QUEUE_NAME}/add`],
  ] as const) {
    expect([path, (await ask(path, { method })).ok]).toEqual([path, false]);
  }
  expect(await connection.hgetall(`${key}:looked-at`)).toEqual(before);
  expect(await connection.hexists(`${key}:meta`, 'paused')).toBe(0);
  expect(before.name).toBe('evaluate');
});

it('the metrics have the broker and the jobs on its queue; when it is gone they say so', async () => {
  const scrape = async () => (await ask('/metrics')).text();
  const text = await scrape();
  expect(text).toContain('nesgd_broker_up 1');
  expect(text).toContain('nesgd_queue_jobs{state="waiting"} 1');
  expect(text).toMatch(/nesgd_broker_ping_seconds 0\.\d+/);
  await broker.stop();
  await until('its absence is noticed', async () => (await scrape()).includes('nesgd_broker_up 0'));
});
