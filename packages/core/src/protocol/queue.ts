import { z } from 'zod';
import { InputError, NesgdError } from '../errors.js';
import { jobResultSchema, progressSchema, provenanceSchema } from './jobs.js';

/** How jobs stand on the BullMQ queue. All runs share one queue, so that all workers serve all runs. */
export const QUEUE_NAME = 'nesgd-jobs';
export const QUEUE_PREFIX = 'nesgd';

/** The return value of a completed job. */
export const jobOutcomeSchema = z.strictObject({ result: jobResultSchema, provenance: provenanceSchema });

/** What a worker reports while it has the job; `progress` is null when it has just begun. */
export const workerReportSchema = z.strictObject({
  worker: z.string(),
  progress: progressSchema.nullable(),
  /** Why it cannot do the job, which goes back to the queue for others. */
  refusal: z.string().exactOptional(),
});
export type WorkerReport = z.infer<typeof workerReportSchema>;

/**
 * A failed job leaves one text behind (BullMQ's `failedReason`). It stays readable in queue browsers and still says
 * what kind of error it was.
 */
export function failureText(error: NesgdError): string {
  return `${error instanceof InputError ? 'wrong input' : 'failed'} [${error.code}] ${error.message}`;
}

/** The code of a job that ended because its run gave it up: no verdict on the job. */
export const CANCELLED = 'CANCELLED';

export function failureFromText(text: string): NesgdError {
  const match = /^(wrong input|failed) \[([A-Z0-9_]+)\] (.*)$/s.exec(text);
  // BullMQ's own words when `maxStalledCount` workers were lost under a job.
  if (/job stalled more than/.test(text)) return new NesgdError('JOB_STALLED', 'each worker that took it was lost');
  if (!match) return new NesgdError('JOB_FAILED', text);
  const [, kind, code = '', message = ''] = match;
  return kind === 'wrong input' ? new InputError(code, message) : new NesgdError(code, message);
}
