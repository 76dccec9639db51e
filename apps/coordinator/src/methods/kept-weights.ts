import { NesgdError } from '@nesgd/core/errors';
import type { Job } from '@nesgd/core/protocol';
import type { DispatchHandlers, JobOutcome } from '@nesgd/core/run';
import type { Conduct } from '../conduct-run.js';

/** A run beside this one would have to remove the same weights in the same instant each time. */
const TIMES = 3;

/**
 * Has a job done, and moves the weights that it stored to the run's artifacts. A run of the same experiment on this
 * cache folder may outdo the same weights, and remove them, before they have moved: then the job is done again.
 */
export async function dispatchKeeping(
  { run, cache, dispatcher, watch }: Pick<Conduct, 'run' | 'cache' | 'dispatcher' | 'watch'>,
  job: Job,
  handlers: DispatchHandlers,
): Promise<JobOutcome> {
  for (let time = 1; ; time++) {
    const outcome = await dispatcher.dispatch(job, { ...handlers, ...(time > 1 && { anew: true }) });
    const { weights } = outcome.result;
    if (!weights) return outcome;
    try {
      await cache.blobs.copyTo(run.artifacts, weights);
      return outcome;
    } catch (error) {
      if (!(error instanceof NesgdError && error.code === 'BLOB_MISSING') || time === TIMES) throw error;
      watch({
        type: 'notice',
        text: 'weights that were just trained have left the cache folder: they are trained again',
      });
    }
  }
}
