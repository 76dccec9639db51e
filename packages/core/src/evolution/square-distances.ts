/** Rows and columns that are filled together, so that both sides of the diagonal stay in the processor's cache. */
const TILE = 32;

/**
 * A distance matrix with all its rows whole, so that whoever looks for a point's nearest reads memory in order. Of a
 * condensed matrix half a row stands in as many other rows, each access a cache line of its own: half the memory, and
 * slower.
 * @param distanceOf of i < j.
 * @returns `[n n]`, symmetric, its diagonal 0.
 */
export function squareDistances(n: number, distanceOf: (i: number, j: number) => number): Float64Array {
  const square = new Float64Array(n * n);
  for (let top = 0; top < n; top += TILE) {
    for (let left = top; left < n; left += TILE) {
      for (let i = top; i < Math.min(top + TILE, n); i++) {
        for (let j = Math.max(left, i + 1); j < Math.min(left + TILE, n); j++) {
          const distance = distanceOf(i, j);
          square[i * n + j] = distance;
          square[j * n + i] = distance;
        }
      }
    }
  }
  return square;
}
