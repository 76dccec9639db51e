import { emptyMerges, type RawMerges } from './raw-merges.js';

/**
 * Single linkage, by Prim's algorithm from point 0: each step adds the point nearest to the tree, the lowest-numbered
 * of equals.
 * @param distances `[n n]`, symmetric. Borrowed.
 */
export function minimumSpanningTree(distances: Float64Array, n: number): RawMerges {
  const merges = emptyMerges(n);
  // Of the first `count` entries: the points outside the tree, ascending, and their distances to the tree.
  const outside = Int32Array.from({ length: n }, (_, i) => i);
  const toTree = new Float64Array(n).fill(Infinity);
  let count = n;
  let x = 0; // the point added last
  let xAt = 0; // where it stood in `outside`

  for (let k = 0; k < n - 1; k++) {
    for (const column of [outside, toTree]) column.copyWithin(xAt, xAt + 1, count);
    count -= 1;
    let nearest = Infinity;
    let nearestAt = 0;
    for (let at = 0; at < count; at++) {
      const toX = distances[x * n + outside[at]!]!;
      if (toX < toTree[at]!) toTree[at] = toX;
      if (toTree[at]! < nearest) {
        nearest = toTree[at]!;
        nearestAt = at;
      }
    }
    xAt = nearestAt;
    merges.a[k] = x;
    merges.b[k] = x = outside[xAt]!;
    merges.heights[k] = nearest;
  }
  return merges;
}
