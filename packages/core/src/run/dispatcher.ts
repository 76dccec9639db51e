import type { Job, JobResult, Progress, Provenance } from '../protocol/index.js';

/** Trainers that may die under a job before it is given up. */
export const DEFAULT_ATTEMPTS = 5;

/**
 * The port to the workers. Two adapters: `queue` (BullMQ, workers anywhere) and `local` (trainer child processes of
 * this one). One conformance suite holds both. What an adapter promises:
 *
 * - every dispatched job settles: with its outcome, or with the error that ended it;
 * - a job whose trainer or worker died is done again, up to the adapter's number of attempts;
 * - a job that cannot succeed (a non-retryable error) is not done again.
 *
 * What is deliberately not here: results by name, a cache, an order. Those belong to the journal and the algorithm.
 */
export interface Dispatcher {
  dispatch(job: Job, handlers?: DispatchHandlers): Promise<JobOutcome>;
  /** Ends what this adapter started. Jobs still under way are given up. */
  close(): Promise<void>;
}

export interface DispatchHandlers {
  readonly onStart?: (worker: string) => void;
  readonly onProgress?: (worker: string, progress: Progress) => void;
  /** The job goes to another attempt; `reason` says why the last one failed. */
  readonly onRetry?: (reason: string) => void;
  /** The job is done again where it was done before: the weights that it stored are lost. */
  readonly anew?: boolean;
  /** Aborting it gives the job up: it is withdrawn where it still waits and its promise rejects. */
  readonly signal?: AbortSignal;
}

export interface JobOutcome {
  readonly result: JobResult;
  readonly provenance: Provenance;
}
