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
let finish: () => void;
beforeEach(async () => {
  const binary = findBrokerBinary(defaultCacheRoot(process.env), process.env);
  if (!binary) throw new Error('wants a redis-server or valkey-server: "npm test" provisions one');
  broker = await startBroker(binary);
  connection = new Redis(broker.url, { maxRetriesPerRequest: null });
  dispatcher = await QueueDispatcher.connect({ connection });
  const mayFinish = new Promise<void>((resolve) => {
    finish = resolve;
  });
  worker = new Worker(QUEUE_NAME, () => mayFinish.then(() => OUTCOME), {
    connection: connection.duplicate(),
    prefix: QUEUE_PREFIX,
  });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await worker.close();
  await dispatcher.close();
  connection.disconnect();
  await broker.stop();
});

it('queue dispatcher: a job that ends while it is looked up is not taken for one without a result', async () => {
  const { getJob, getJobState } = Queue.prototype;
  // The first look finds it under way, and it ends before that look is over.
  vi.spyOn(Queue.prototype, 'getJobState').mockImplementation(async function (this: Queue, id: string) {
    const state = await getJobState.call(this, id);
    finish();
    return state;
  });
  vi.spyOn(Queue.prototype, 'getJob').mockImplementation(async function (this: Queue, id: string) {
    const job = (await getJob.call(this, id)) as QueueJob | undefined;
    if (job) finish();
    if (job && !job.finishedOn) await vi.waitUntil(() => job.isCompleted(), { timeout: 60_000 });
    return job;
  });
  expect(await dispatcher.dispatch({ runId: 'r', kind: 'alpha' } as Job)).toEqual(OUTCOME);
});
