import { minimumSpanningTree } from './minimum-spanning-tree.js';
import { nearestNeighbourChain } from './nearest-neighbour-chain.js';
import type { RawMerges } from './raw-merges.js';
import { squareDistances } from './square-distances.js';
import { UnionFind } from './union-find.js';

/** How the distance between two clusters follows from their members': the mean, the nearest or the farthest pair. */
export const LINKAGES = ['average', 'single', 'complete'] as const;
export type Linkage = (typeof LINKAGES)[number];

/**
 * The n - 1 merges that join n points into one cluster, nearest first. Merge k joins clusters `left[k] < right[k]` into
 * cluster n + k; clusters 0..n-1 are the points. The columns are those of SciPy's linkage matrix.
 */
export interface MergeTree {
  readonly points: number;
  readonly left: Int32Array;
  readonly right: Int32Array;
  /** Distance at which the merge happened; never decreases from merge to merge. */
  readonly heights: Float64Array;
  /** Points in the new cluster. */
  readonly sizes: Int32Array;
}

/**
 * Algorithm 2, lines 8-20, run on to a single cluster (`cut` stops it at q = m): again and again the two nearest
 * clusters become one. Ties, the rule among bit strings, are settled as by SciPy's `linkage`, merge for merge.
 *
 * O(n^2) time. Average and complete linkage go by nearest-neighbour chains, single linkage by a minimum spanning tree
 * (D. Müllner, Modern hierarchical, agglomerative clustering algorithms, 2011).
 * @param distances condensed `[n (n - 1) / 2]`, finite. Borrowed; 8 n^2 bytes are taken beside them.
 * @throws RangeError when `distances` is not that long.
 */
export function linkage(distances: Float64Array, n: number, method: Linkage): MergeTree {
  if (distances.length !== (n * (n - 1)) / 2) {
    throw new RangeError(`linkage of ${n} points wants ${(n * (n - 1)) / 2} distances, got ${distances.length}`);
  }
  const square = squareDistances(n, (i, j) => distances[n * i - (i * (i + 1)) / 2 - i - 1 + j]!);
  return linkageOfSquare(square, n, method);
}

/** As `linkage`. @param square `[n n]`, symmetric. Overwritten. */
export function linkageOfSquare(square: Float64Array, n: number, method: Linkage): MergeTree {
  const merges = method === 'single' ? minimumSpanningTree(square, n) : nearestNeighbourChain(square, n, method);
  return labelled(merges, n);
}

/** Sorts merges by height, equal heights in the order found, and names clusters instead of points. */
function labelled(raw: RawMerges, n: number): MergeTree {
  const count = raw.heights.length;
  const order = Int32Array.from({ length: count }, (_, k) => k).sort(
    (p, q) => raw.heights[p]! - raw.heights[q]! || p - q,
  );
  const tree = {
    points: n,
    left: new Int32Array(count),
    right: new Int32Array(count),
    heights: new Float64Array(count),
    sizes: new Int32Array(count),
  };
  const clusters = new UnionFind(n);
  order.forEach((from, k) => {
    const a = clusters.find(raw.a[from]!);
    const b = clusters.find(raw.b[from]!);
    tree.left[k] = Math.min(a, b);
    tree.right[k] = Math.max(a, b);
    tree.heights[k] = raw.heights[from]!;
    tree.sizes[k] = clusters.merge(a, b);
  });
  return tree;
}
