import { InputError } from '@nesgd/core/errors';
import { type Job, jobSchema, PROTOCOL_VERSION } from '@nesgd/core/protocol';
import { z } from 'zod';
import { RefusedJobError } from './refused-job-error.js';

const anyVersion = z.looseObject({ version: z.int().min(0) });

/**
 * @throws RefusedJobError for a job of another protocol version, which a worker of that version can do; InputError for
 * anything else that is no job: nobody could do it.
 */
export function parseJob(data: unknown): Job {
  const parsed = jobSchema.safeParse(data);
  if (parsed.success) return parsed.data;
  const version = anyVersion.safeParse(data).data?.version;
  if (version !== undefined && version !== PROTOCOL_VERSION) {
    throw new RefusedJobError(
      'PROTOCOL_VERSION',
      `the job is of protocol version ${version}, this worker speaks ${PROTOCOL_VERSION}: update the older of coordinator and worker`,
    );
  }
  const issue = parsed.error.issues[0];
  throw new InputError('JOB_PAYLOAD', `what is on the queue is no job (${issue?.path.join('.')}: ${issue?.message})`);
}
