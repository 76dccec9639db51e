import type { Dispatcher } from '@nesgd/core/run';

/** A dispatcher whose jobs can be held back and put before others, run by run. */
export interface ControlledDispatcher extends Dispatcher {
  /**
   * From now on no job of the run begins, until `release`; one that a trainer fails under is not begun again either.
   * @param now gives up those under way as well; they begin anew after `release`.
   * @returns how many are under way.
   */
  hold(runId: string, now?: boolean): Promise<number>;
  release(runId: string): Promise<void>;
  /** @param priority -100 to 100, the higher goes first; also of jobs that wait already. */
  prioritise(runId: string, priority: number): Promise<void>;
}
