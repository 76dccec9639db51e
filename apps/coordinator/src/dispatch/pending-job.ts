import type { Job } from '@nesgd/core/protocol';
import type { DispatchHandlers, JobOutcome } from '@nesgd/core/run';

/** A job that was sent and has no answer yet. */
export interface PendingJob {
  readonly id: string;
  readonly job: Job;
  readonly handlers: DispatchHandlers;
  readonly outcome: Promise<JobOutcome>;
  readonly resolve: (outcome: JobOutcome) => void;
  readonly reject: (error: unknown) => void;
  /** Not before an earlier answer is forgotten, where it is asked for anew: that one would be taken for its own. */
  answerable: boolean;
  worker: string;
  /** Of the attempt under way, by `performance.now`; undefined while it waits. */
  startedAt: number | undefined;
  /** Its worker has just said why it cannot do the job; that it is back in the queue is no further news. */
  refused: boolean;
  /** It was late, and stands on the queue a second time. */
  twice: boolean;
  /** Answers that were none. */
  wrongAnswers: number;
}

export function pendingJob(id: string, job: Job, handlers: DispatchHandlers): PendingJob {
  let settle: Pick<PendingJob, 'resolve' | 'reject'> | undefined;
  const outcome = new Promise<JobOutcome>((resolve, reject) => {
    settle = { resolve, reject };
  });
  outcome.catch(() => {}); // It may be withdrawn while it is being sent, before anybody awaits it.
  const state = { answerable: false, worker: '', startedAt: undefined, refused: false, twice: false, wrongAnswers: 0 };
  return { id, job, handlers, outcome, ...settle!, ...state };
}

/** The second try of a job, beside the first. */
export const again = (id: string): string => `${id}-again`;

/** Where it stands on the queue. */
export const idsOf = ({ id, twice }: PendingJob): string[] => (twice ? [id, again(id)] : [id]);
