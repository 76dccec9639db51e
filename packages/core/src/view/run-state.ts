/**
 * Where a run stands. `running`: a living process holds it; `stopped`: none does, and `nesgd resume` goes on;
 * `diverged`: its training left the numbers, which it would do again.
 */
export type RunState = 'finished' | 'diverged' | 'running' | 'stopped';

/** @param held a living process works on the run. */
export function runState(facts: readonly { readonly type: string }[], held: boolean): RunState {
  if (facts.some(({ type }) => type === 'finished')) return 'finished';
  if (facts.some(({ type }) => type === 'diverged')) return 'diverged';
  return held ? 'running' : 'stopped';
}
