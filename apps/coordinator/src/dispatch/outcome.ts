import { type Job, jobOutcomeSchema } from '@nesgd/core/protocol';
import type { JobOutcome } from '@nesgd/core/run';
import { sha256OfJson } from '@nesgd/core/storage';

/** Content-addressed and readable: `<run>-evaluate-<hash>`; BullMQ allows no ":" in it. */
export function jobIdOf(job: Job): string {
  return `${job.runId}-${job.kind}-${sha256OfJson(job).slice(0, 24)}`;
}

/** Those that a job trains. */
function epochsOf(job: Job): { from: number; until: number } {
  if (job.kind === 'evaluate' && job.part) return job.part;
  return { from: 0, until: 'training' in job ? job.training.epochs : 0 };
}

/**
 * What a worker says a job came to, if it can be that job's result at all.
 * @returns the outcome, or what is wrong with it.
 */
export function outcomeOf(job: Job, value: unknown): JobOutcome | { readonly wrong: string } {
  const parsed = jobOutcomeSchema.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    return { wrong: `${issue?.path.join('.') || 'result'}: ${issue?.message}` };
  }
  const { result } = parsed.data;
  const { from, until } = epochsOf(job);
  const epochs = until - from;
  if (result.curve.length > epochs) return { wrong: `${result.curve.length} epochs of ${epochs}` };
  if (result.curve.some(({ epoch }, i) => epoch !== from + i + 1)) return { wrong: 'epochs out of order' };
  if (epochs > 0 && result.curve.length === 0) return { wrong: 'trained no epoch' };
  if (job.kind === 'alpha' && result.weights === null) return { wrong: 'an alpha without weights' };
  if (job.kind === 'recombine' && result.weights === null) return { wrong: 'an offspring without weights' };
  return parsed.data;
}
