import { NesgdError } from '@nesgd/core/errors';
import { failureText, type Job, type MeasureJob, QUEUE_NAME, QUEUE_PREFIX } from '@nesgd/core/protocol';
import type { JobOutcome } from '@nesgd/core/run';
import { findBrokerBinary, type RunningBroker, startBroker } from '@nesgd/core/runtime';
import { defaultCacheRoot } from '@nesgd/core/storage';
import { Job as BullJob, Queue, type Job as QueueJob, UnrecoverableError, Worker } from 'bullmq';
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
const workers: Worker[] = [];
beforeEach(async () => {
  const binary = findBrokerBinary(defaultCacheRoot(process.env), process.env);
  if (!binary) throw new Error('wants a redis-server or valkey-server: "npm test" provisions one');
  broker = await startBroker(binary);
  connection = new Redis(broker.url, { maxRetriesPerRequest: null });
  dispatcher = await QueueDispatcher.connect({
    connection,
    reconcileIntervalMs: 100,
    deadline: { atLeastMs: 200, factor: 2 },
  });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await Promise.all(workers.splice(0).map((worker) => worker.close(true)));
  await dispatcher.close();
  connection.disconnect();
  await broker.stop();
});

/** @param answer to a job's weights, which name it here. */
function startWorker(answer: (name: string) => unknown): Worker {
  const worker = new Worker<MeasureJob>(QUEUE_NAME, async ({ data }) => answer(data.weights), {
    connection: connection.duplicate(),
    prefix: QUEUE_PREFIX,
  });
  worker.on('error', () => {});
  workers.push(worker);
  return worker;
}

const job = (name: string) => ({ runId: 'r', kind: 'measure', weights: name }) as Job;
const never = () => new Promise(() => {});

it('queue dispatcher: a job that ends while it is looked up is not taken for one without a result', async () => {
  let finish = () => {};
  const mayFinish = new Promise<void>((resolve) => {
    finish = resolve;
  });
  startWorker(() => mayFinish.then(() => OUTCOME));
  const { getJob, getJobState } = Queue.prototype;
  // The first look finds it under way, and it ends before that look is over.
  vi.spyOn(Queue.prototype, 'getJobState').mockImplementation(async function (this: Queue, id: string) {
    const state = await getJobState.call(this, id);
    finish();
    return state;
  });
  vi.spyOn(Queue.prototype, 'getJob').mockImplementation(async function (this: Queue, id: string) {
    const found = (await getJob.call(this, id)) as QueueJob | undefined;
    if (found) finish();
    if (found && !found.finishedOn) await vi.waitUntil(() => found.isCompleted(), { timeout: 60_000 });
    return found;
  });
  expect(await dispatcher.dispatch(job('a'))).toEqual(OUTCOME);
});

const { result, provenance } = OUTCOME;
it.each([
  ['nothing', undefined],
  ['a text', 'done'],
  ['an accuracy above 1', { provenance, result: { ...result, accuracy: 1.5 } }],
  ['an accuracy that is no number', { provenance, result: { ...result, accuracy: null } }],
  ['a path in place of a hash', { provenance, result: { ...result, weights: '../../etc/passwd' } }],
  [
    'more epochs than the job has',
    { provenance, result: { ...result, curve: [{ epoch: 1, trainLoss: 1, accuracy: 1 }] } },
  ],
  ['a key too many', { provenance, result, fitness: 1 }],
])('queue dispatcher: an answer that is %s does not count, and the job is done again', async (_, answer) => {
  const answers: unknown[] = [answer, OUTCOME];
  startWorker(() => answers.shift());
  const reasons: string[] = [];
  expect(await dispatcher.dispatch(job('a'), { onRetry: (reason) => reasons.push(reason) })).toEqual(OUTCOME);
  expect(reasons).toEqual([expect.stringMatching(/no result of its job/)]);
});

it('queue dispatcher: a job that gets no right answer in so many attempts ends with the fault', async () => {
  startWorker(() => ({ accuracy: 1 }));
  await expect(dispatcher.dispatch(job('a'))).rejects.toMatchObject({ code: 'PROTOCOL' });
});

it('queue dispatcher: a job that takes far longer than its like is given to another worker too; the first result counts', async () => {
  const slow = startWorker((name) => (name === 'slow' ? never() : OUTCOME));
  for (const name of ['a', 'b', 'c']) await dispatcher.dispatch(job(name));
  let begun = () => {};
  const hasBegun = new Promise<void>((resolve) => {
    begun = resolve;
  });
  slow.on('active', begun);
  const reasons: string[] = [];
  const outcome = dispatcher.dispatch(job('slow'), { onRetry: (reason) => reasons.push(reason) });
  await hasBegun;
  startWorker(() => OUTCOME);
  expect(await outcome).toEqual(OUTCOME);
  expect(reasons).toEqual([expect.stringMatching(/another worker may try as well/)]);
  // The slow one is told that it may stop.
  await vi.waitUntil(async () => (await connection.keys('nesgd:cancel:r-measure-*')).length === 1, { timeout: 60_000 });
});

it('queue dispatcher: a job that an earlier coordinator gave up is done when it is wanted again', async () => {
  startWorker(() => {
    if (workers.length === 1) throw new UnrecoverableError(failureText(new NesgdError('CANCELLED', 'given up')));
    return OUTCOME;
  });
  const outcome = dispatcher.dispatch(job('a'));
  await vi.waitUntil(async () => (await connection.zcard('nesgd:nesgd-jobs:failed')) + workers.length > 0);
  startWorker(() => OUTCOME);
  expect(await outcome).toEqual(OUTCOME);
});

it('queue dispatcher: the same job asked for twice at once is done once and answers both', async () => {
  let done = 0;
  startWorker(() => {
    done += 1;
    return OUTCOME;
  });
  const both = [dispatcher.dispatch(job('a')), dispatcher.dispatch(job('a'))];
  expect(await Promise.all(both)).toEqual([OUTCOME, OUTCOME]);
  expect(done).toBe(1);
});

it('queue dispatcher: of two runs on one broker the one with priority goes first', async () => {
  const urgent = await QueueDispatcher.connect({ connection, priority: 10 });
  const order: string[] = [];
  const outcomes = ['a', 'b'].map((name) => dispatcher.dispatch(job(name)));
  await vi.waitUntil(async () => (await connection.zcard('nesgd:nesgd-jobs:prioritized')) === 2);
  outcomes.push(urgent.dispatch(job('urgent')));
  await vi.waitUntil(async () => (await connection.zcard('nesgd:nesgd-jobs:prioritized')) === 3);
  startWorker((name) => {
    order.push(name);
    return OUTCOME;
  });
  await Promise.all(outcomes);
  expect(order).toEqual(['urgent', 'a', 'b']);
  await urgent.close();
});

it('queue dispatcher: a held run has nothing on the queue but what is begun; released, the rest is done', async () => {
  const begun: string[] = [];
  let finish = () => {};
  const mayFinish = new Promise<void>((resolve) => {
    finish = resolve;
  });
  startWorker(async (name) => {
    begun.push(name);
    await mayFinish;
    return OUTCOME;
  });
  const queue = new Queue(QUEUE_NAME, { connection, prefix: QUEUE_PREFIX });
  const outcomes = ['a', 'b', 'c'].map((name) => dispatcher.dispatch(job(name)));
  await vi.waitUntil(async () => begun.length === 1 && (await queue.count()) === 2, { timeout: 60_000 });
  expect(await dispatcher.hold('r')).toBe(1);
  expect(await queue.count()).toBe(0);
  finish();
  await Promise.race(outcomes);
  expect(begun).toHaveLength(1);
  await dispatcher.release('r');
  await expect(Promise.all(outcomes)).resolves.toEqual([OUTCOME, OUTCOME, OUTCOME]);
  expect([...begun].sort()).toEqual(['a', 'b', 'c']);
  await queue.close();
});

it('queue dispatcher: a job that is done already gives its result again; anew, it is done again', async () => {
  let done = 0;
  startWorker(() => {
    done += 1;
    return OUTCOME;
  });
  for (let time = 0; time < 2; time++) expect(await dispatcher.dispatch(job('a'))).toEqual(OUTCOME);
  expect(done).toBe(1);
  // The old answer is looked at while it is being forgotten.
  const { remove } = BullJob.prototype;
  vi.spyOn(BullJob.prototype, 'remove').mockImplementation(async function (this: QueueJob) {
    connection.emit('ready');
    for (let trip = 0; trip < 4; trip++) await connection.ping();
    return remove.call(this);
  });
  expect(await dispatcher.dispatch(job('a'), { anew: true })).toEqual(OUTCOME);
  expect(done).toBe(2);
});
