import { setTimeout as delay } from 'node:timers/promises';
import { NesgdError } from '@nesgd/core/errors';

export interface RetryOptions {
  readonly signal: AbortSignal;
  /** Given up when it has failed for this long without moving on. */
  readonly patienceMs: number;
  readonly firstDelayMs: number;
  readonly longestDelayMs: number;
  /** Grows as the work moves on, such as the bytes received: patience begins anew then. */
  readonly progress?: () => number;
  readonly onFailure?: (error: NesgdError, delayMs: number) => void;
}

/** Does it until it succeeds, with a growing delay. @throws what it threw last, the signal's reason. */
export async function retry<T>(work: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { signal, patienceMs, firstDelayMs, longestDelayMs, progress = () => 0, onFailure } = options;
  let failures = 0;
  let reached = progress();
  let lastMove = performance.now();
  for (;;) {
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof NesgdError) || !error.retryable) throw error;
      if (progress() > reached) {
        failures = 0;
        lastMove = performance.now();
      }
      reached = progress();
      if (performance.now() - lastMove > patienceMs) throw error;
      failures += 1;
      // Half of it is drawn: workers that a restart cut off together do not come back together.
      const delayMs = Math.min(firstDelayMs * 2 ** (failures - 1), longestDelayMs) * (0.5 + Math.random() / 2);
      onFailure?.(error, delayMs);
      await delay(delayMs, undefined, { signal });
    }
  }
}
