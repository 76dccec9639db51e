import { WORKERS_KEY, type WorkerRecord, workerKey } from '@nesgd/core/protocol';
import { findBrokerBinary, type RunningBroker, startBroker } from '@nesgd/core/runtime';
import { defaultCacheRoot } from '@nesgd/core/storage';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readWorkers } from './worker-register.js';

let broker: RunningBroker;
let connection: Redis;
beforeAll(async () => {
  const binary = findBrokerBinary(defaultCacheRoot(process.env), process.env);
  if (!binary) throw new Error('wants a redis-server or valkey-server: "npm test" provisions one');
  broker = await startBroker(binary);
  connection = new Redis(broker.url);
});
afterAll(async () => {
  connection.disconnect();
  await broker.stop();
});

it('readWorkers: the names of workers whose records have expired are removed, all others stay', async () => {
  const record = (name: string): WorkerRecord => ({
    ...{ name, host: 'h', pid: 1, since: '2026-01-31T12:00:00.000Z', state: 'idle', job: null },
  });
  for (const name of ['gone-1', 'here', 'gone-2']) {
    await connection.set(workerKey(name), JSON.stringify(record(name)));
    await connection.sadd(WORKERS_KEY, name);
  }
  expect((await readWorkers(connection)).map(({ name }) => name)).toEqual(['gone-1', 'gone-2', 'here']);
  for (const name of ['gone-1', 'gone-2']) await connection.pexpire(workerKey(name), 1);
  await expect.poll(() => connection.exists(workerKey('gone-1'), workerKey('gone-2'))).toBe(0);
  expect(await readWorkers(connection)).toEqual([record('here')]);
  expect(await connection.smembers(WORKERS_KEY)).toEqual(['here']);
});
