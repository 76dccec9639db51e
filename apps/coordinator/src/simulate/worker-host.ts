/** A process with many simulated workers: each one a real client of the queue, whose trainer only waits. */
import { setTimeout as delay } from 'node:timers/promises';
import { NesgdError } from '@nesgd/core/errors';
import { failureText, type Job, QUEUE_NAME, QUEUE_PREFIX, type WorkerReport } from '@nesgd/core/protocol';
import type { JobOutcome } from '@nesgd/core/run';
import { type Job as QueueJob, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { maskOf, simulatedFailure, simulatedTraining } from './simulated-training.js';
import type { FromHost, HostOrder } from './worker-hosts.js';

/** Of a worker's, between what it may start and its start, in milliseconds. */
const idleMs: number[] = [];

async function work(order: HostOrder, name: string, job: QueueJob<Job, JobOutcome>): Promise<JobOutcome> {
  const { seed, jobSeconds, failures, weights } = order;
  const mask = maskOf(job.data);
  const report: WorkerReport = { worker: name, progress: null };
  job.updateProgress(report).catch(() => {}); // As the real ones do.
  const training = mask === undefined ? { seconds: 0, accuracy: 0.5 } : simulatedTraining(seed, mask, jobSeconds);
  const fails = mask === undefined ? undefined : simulatedFailure(seed, mask, job.attemptsMade, failures);
  if (fails !== undefined) {
    await delay(1000 * training.seconds * fails);
    throw new Error(failureText(new NesgdError('TRAINER_DIED', 'the simulated trainer died', true)));
  }
  await delay(1000 * training.seconds);
  const stores = job.data.kind === 'alpha' || (job.data.kind === 'evaluate' && leads(job.data, training.accuracy));
  return {
    result: {
      accuracy: training.accuracy,
      curve: job.data.kind === 'measure' ? [] : [{ epoch: 1, trainLoss: 1, accuracy: training.accuracy }],
      weights: stores ? weights : null,
      imagesTrained: 1,
    },
    provenance: { worker: name, engine: 'simulated', seconds: training.seconds },
  };
}

const leads = (job: Extract<Job, { kind: 'evaluate' }>, accuracy: number): boolean =>
  job.keepWeightsAbove === null || accuracy > job.keepWeightsAbove;

async function host(order: HostOrder): Promise<void> {
  const connection = new Redis(order.url, { maxRetriesPerRequest: null });
  connection.setMaxListeners(0);
  const workers = order.names.map((name) => {
    let freeSince = 0;
    const worker = new Worker<Job, JobOutcome>(
      QUEUE_NAME,
      async (job) => {
        const now = Date.now();
        if (maskOf(job.data) !== undefined) idleMs.push(now - Math.max(freeSince, job.timestamp));
        return work(order, name, job).finally(() => {
          freeSince = Date.now();
        });
      },
      { connection, prefix: QUEUE_PREFIX, name, maxStalledCount: 10 },
    );
    worker.on('error', () => {});
    return worker;
  });
  await Promise.all(workers.map((worker) => worker.waitUntilReady()));
  process.send?.({ type: 'ready' } satisfies FromHost);
}

process.on('disconnect', () => process.exit(0));
process.on('SIGINT', () => {});
process.on('message', (message) => {
  if (message === 'report') process.send?.({ type: 'idle', idleMs } satisfies FromHost);
  else void host(message as HostOrder);
});
