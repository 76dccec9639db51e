import { type Job, QUEUE_NAME, QUEUE_PREFIX } from '@nesgd/core/protocol';
import type { JobOutcome } from '@nesgd/core/run';
import { findBrokerBinary, type RunningBroker, startBroker } from '@nesgd/core/runtime';
import { defaultCacheRoot } from '@nesgd/core/storage';
import { Queue, type Job as QueueJob, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { QueueDispatcher } from './queue-dispatcher.js';

const OUTCOME: JobOutcome = {
  result: { accuracy: 0.5, curve: [], weights: null, imagesTrained: 0 },
  provenance: { worker: 'w', engine: 'e', seconds: 1 },
};

let broker: RunningBroker;
let connection: Redis;
let dispatcher: QueueDispatcher;
let worker: Worker;
beforeEach(async () => {
  const binary = findBrokerBinary(defaultCacheRoot(process.env), process.env);
  if (!binary) throw new Error('wants a redis-server or valkey-server: "npm test" provisions one');
  broker = await startBroker(binary);
  connection = new Redis(broker.url, { maxRetriesPerRequest: null });
  dispatcher = await QueueDispatcher.connect({ connection });
  worker = new Worker(QUEUE_NAME, async () => OUTCOME, { connection: connection.duplicate(), prefix: QUEUE_PREFIX });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await worker.close();
  await dispatcher.close();
  connection.disconnect();
  await broker.stop();
});

it('queue dispatcher: a job that ends while it is looked up is not taken for one without a result', async () => {
  const read = Queue.prototype.getJob;
  // Whatever is read of a job under way reaches its reader only when the job has ended.
  vi.spyOn(Queue.prototype, 'getJob').mockImplementation(async function (this: Queue, id: string) {
    const job = (await read.call(this, id)) as QueueJob | undefined;
    if (job && !job.finishedOn) await vi.waitUntil(() => job.isCompleted(), { timeout: 60_000 });
    return job;
  });
  expect(await dispatcher.dispatch({ runId: 'r', kind: 'alpha' } as Job)).toEqual(OUTCOME);
});
