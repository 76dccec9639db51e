import { z } from 'zod';
import type { Job } from './jobs.js';
import { QUEUE_PREFIX } from './queue.js';

/**
 * Where workers are known on the broker: beside the queue, because BullMQ knows connections and jobs, but neither what a
 * worker is busy with nor a way to tell it something. All that stands here may be lost: workers write it anew.
 */

/** Names of workers: a set; a name whose record is gone is that of a worker that is. */
export const WORKERS_KEY = `${QUEUE_PREFIX}:workers`;
/** A worker's record, as JSON; it expires by itself when the worker no longer renews it. */
export const workerKey = (name: string): string => `${QUEUE_PREFIX}:worker:${name}`;
/** Set for a worker that shall finish its job, take no other, and end. */
export const drainKey = (name: string): string => `${QUEUE_PREFIX}:drain:${name}`;
/** Set, to a CancelReason, for a job that its run has given up: whoever is at it may stop. */
export const cancelKey = (jobId: string): string => `${QUEUE_PREFIX}:cancel:${jobId}`;

/** `stopped`: the run may be resumed, and go on with the job where it is now. `done`: its result is there. */
export type CancelReason = 'stopped' | 'done';

/** How long an order waits for those it is for. */
export const ORDER_LIFETIME_S = 3600;

export const workerRecordSchema = z.strictObject({
  name: z.string().max(200),
  host: z.string().max(200),
  pid: z.int().min(0),
  /** ISO 8601, UTC. */
  since: z.iso.datetime(),
  /** The kind of its processor: TensorFlow's results on another kind may differ in their bits. */
  processor: z.string().max(200).exactOptional(),
  state: z.enum(['idle', 'busy', 'draining']),
  /** What it is at. */
  job: z.strictObject({ id: z.string().max(300), runId: z.string().max(100), what: z.string().max(2_000) }).nullable(),
  /** A trainer of a run without a broker: it works for that run alone, and cannot be drained. */
  local: z.literal(true).exactOptional(),
});
export type WorkerRecord = z.infer<typeof workerRecordSchema>;

/** A job as a record has it: an individual's mask, else its kind. */
export const describeJob = (job: Job): string => (job.kind === 'evaluate' ? job.mask : job.kind);
