import { fittestFirst } from './ranking.js';

export interface HalvingParams {
  /** Lengths of training at which contenders are compared, rising; the last is a whole training. */
  readonly rungs: readonly number[];
  /** Of those compared, one in so many goes on; at least 2. */
  readonly eta: number;
}

/** firstRung, then eta times as much each, and at last the whole. */
export function rungsOf(firstRung: number, eta: number, whole: number): number[] {
  const rungs: number[] = [];
  for (let rung = firstRung; rung < whole; rung *= eta) rungs.push(rung);
  return [...rungs, whole];
}

/** One in eta goes on, and somebody does. */
const seats = (contenders: number, eta: number): number => Math.max(1, Math.floor(contenders / eta));

/**
 * Successive halving: Jamieson and Talwalkar (2016, "Non-stochastic Best Arm Identification and Hyperparameter
 * Optimization"), the inner loop of Hyperband (Li et al. 2018). All contenders train as far as the first rung; the best
 * go on, from where they stopped, to the next, and so on. Who is left alone has nobody to be compared with and goes on to the end.
 *
 * @param trainUntil trains contenders on to a rung and says how good each is there, in their order; undefined: that one
 * cannot go on.
 */
export async function successiveHalving<T>(
  contenders: readonly T[],
  { rungs, eta }: HalvingParams,
  trainUntil: (those: readonly T[], rung: number) => Promise<readonly (number | undefined)[]>,
): Promise<void> {
  const whole = rungs.at(-1)!;
  let those = contenders;
  for (const step of rungs) {
    if (those.length === 0) return;
    const rung = those.length === 1 ? whole : step;
    const accuracies = await trainUntil(those, rung);
    if (rung === whole) return;
    const able = [...those.keys()].filter((i) => accuracies[i] !== undefined);
    const ranking = fittestFirst(able.map((i) => accuracies[i]!)).map((rank) => able[rank]!);
    those = ranking.slice(0, seats(those.length, eta)).map((i) => those[i]!);
  }
}

/** What so many contenders cost where all can go on, rung by rung: how many train, and for how much longer. */
export function halvingCosts(
  contenders: number,
  { rungs, eta }: HalvingParams,
): { readonly count: number; readonly length: number }[] {
  const whole = rungs.at(-1)!;
  const costs: { count: number; length: number }[] = [];
  let count = contenders;
  let done = 0;
  for (const step of rungs) {
    const rung = count === 1 ? whole : step;
    costs.push({ count, length: rung - done });
    if (rung === whole) break;
    done = rung;
    count = seats(count, eta);
  }
  return costs;
}
