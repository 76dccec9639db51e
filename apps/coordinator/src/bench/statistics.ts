/** The middle value; of an even number the mean of the middle two. @param values at least one. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** @param values at least one, all above 0. */
export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}

export interface Ratio {
  /** The median of the rounds' ratios: what changes in the machine meanwhile meets both sides of a round. */
  readonly median: number;
  readonly range: readonly [lowest: number, highest: number];
}

/** @param ours,theirs of the same rounds, in order. */
export function ratioOf(ours: readonly number[], theirs: readonly number[]): Ratio {
  const ratios = ours.map((value, round) => value / theirs[round]!);
  return { median: median(ratios), range: [Math.min(...ratios), Math.max(...ratios)] };
}
