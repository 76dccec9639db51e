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

/** `start[i] + j` is where the condensed distance of i < j lies. */
export function rowStarts(n: number): Int32Array {
  return Int32Array.from({ length: n }, (_, i) => n * i - (i * (i + 1)) / 2 - i - 1);
}
