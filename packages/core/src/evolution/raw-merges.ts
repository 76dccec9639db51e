/** Merges as found, each end named by any one point in it. */
export interface RawMerges {
  readonly a: Int32Array;
  readonly b: Int32Array;
  readonly heights: Float64Array;
}

export function emptyMerges(n: number): RawMerges {
  const count = Math.max(n - 1, 0);
  return { a: new Int32Array(count), b: new Int32Array(count), heights: new Float64Array(count) };
}
