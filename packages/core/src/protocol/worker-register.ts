import { z } from 'zod';
import type { Job } from './jobs.js';
import { QUEUE_PREFIX } from './queue.js';

/**
 * Where workers are known on the broker: beside the queue, because BullMQ knows connections and jobs, but neither what a
 * worker is busy with nor a way to tell it something. All that stands here may be lost: workers write it anew.
 */

/** Names of workers: a set; a name whose record is gone is that of a worker that is, and whoever meets it removes it. */
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
  /** The card that it does jobs for cards on; absent: it has none. `memoryMb`: MiB, null where the driver does not say. */
  card: z
    .strictObject({ uuid: z.string().max(200), name: z.string().max(200), memoryMb: z.number().min(0).nullable() })
    .exactOptional(),
  /** A run started it for itself, and it ends with that run. */
  ofRun: z.literal(true).exactOptional(),
  state: z.enum(['idle', 'busy', 'draining', 'drained']),
  /** What it is at. */
  job: z.strictObject({ id: z.string().max(300), runId: z.string().max(100), what: z.string().max(2_000) }).nullable(),
  /** A trainer of a run without a broker: it works for that run alone, and cannot be drained. */
  local: z.literal(true).exactOptional(),
});
export type WorkerRecord = z.infer<typeof workerRecordSchema>;

/** A job as a record has it: an individual's mask, else its kind. */
export const describeJob = (job: Job): string => (job.kind === 'evaluate' ? job.mask : job.kind);

/** What of a client of the broker is needed here. */
export interface RegisterClient {
  smembers(key: string): Promise<string[]>;
  mget(keys: string[]): Promise<(string | null)[]>;
  srem(key: string, ...members: string[]): Promise<unknown>;
}

/**
 * The records as they stand there, by name. Names of workers that are gone are removed: borrowed machines come and go
 * for weeks. A worker whose record comes back just then writes its name anew with its next beat.
 */
export async function registeredWorkers(client: RegisterClient): Promise<ReadonlyMap<string, string>> {
  const names = (await client.smembers(WORKERS_KEY)).sort();
  const texts = names.length > 0 ? await client.mget(names.map(workerKey)) : [];
  const gone = names.filter((_, i) => texts[i] == null);
  if (gone.length > 0) await client.srem(WORKERS_KEY, ...gone);
  return new Map(names.flatMap((name, i) => (texts[i] == null ? [] : [[name, texts[i]] as const])));
}
