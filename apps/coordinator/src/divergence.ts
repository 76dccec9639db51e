import { NesgdError } from '@nesgd/core/errors';
import type { DivergedFact, RunFolder } from '@nesgd/core/run';

const DIVERGED: Readonly<Record<string, DivergedFact['what']>> = { ALPHA_DIVERGED: 'alpha', ALL_DIVERGED: 'search' };

/** Whether the run ended in divergence, now or before. */
export const isDivergence = (error: unknown): boolean => error instanceof NesgdError && error.code in DIVERGED;

/** @throws NesgdError where the run has ended in divergence: doing it again would lead there again. */
export function refuseDiverged({ journal }: RunFolder): void {
  const diverged = journal.lines.map((line) => line.fact).find((fact) => fact.type === 'diverged');
  if (diverged) throw new NesgdError(diverged.what === 'alpha' ? 'ALPHA_DIVERGED' : 'ALL_DIVERGED', diverged.reason);
}

/** Does the work of a run, and writes it down where that ends in divergence, so that `nesgd status` can say so. */
export async function notingDivergence<T>({ journal }: RunFolder, work: () => Promise<T>): Promise<T> {
  return work().catch(async (error) => {
    const what = error instanceof NesgdError ? DIVERGED[error.code] : undefined;
    if (what) await journal.append({ type: 'diverged', what, reason: error.message });
    throw error;
  });
}
