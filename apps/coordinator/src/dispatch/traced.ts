import type { Job } from '@nesgd/core/protocol';
import type { Dispatcher } from '@nesgd/core/run';
import { inSpan } from '@nesgd/core/tracing';

/** A dispatcher whose jobs are spans, from when they are asked for to their answer: time on the queue and repeats too. */
export function traced(dispatcher: Dispatcher): Dispatcher {
  return {
    dispatch: (job, handlers) => inSpan(job.kind, attributesOf(job), () => dispatcher.dispatch(job, handlers)),
    close: () => dispatcher.close(),
  };
}

function attributesOf(job: Job) {
  return {
    'nesgd.run': job.runId,
    'nesgd.mask': job.kind === 'evaluate' ? job.mask : undefined,
    'nesgd.repeat': job.kind === 'evaluate' ? job.repeat : undefined,
  };
}
