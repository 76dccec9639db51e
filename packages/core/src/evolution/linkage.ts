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
 * @param distances condensed `[n (n - 1) / 2]`, finite. Overwritten: pass a copy to keep them.
 * @throws RangeError when `distances` is not that long.
 */
export function linkage(distances: Float64Array, n: number, method: Linkage): MergeTree {
  if (distances.length !== (n * (n - 1)) / 2) {
    throw new RangeError(`linkage of ${n} points wants ${(n * (n - 1)) / 2} distances, got ${distances.length}`);
  }
  const merges = method === 'single' ? minimumSpanningTree(distances, n) : nearestNeighbourChain(distances, n, method);
  return labelled(merges, n);
}

/** Merges as found, each end named by any one point in it. */
interface RawMerges {
  readonly a: Int32Array;
  readonly b: Int32Array;
  readonly heights: Float64Array;
}

function emptyMerges(n: number): RawMerges {
  const count = Math.max(n - 1, 0);
  return { a: new Int32Array(count), b: new Int32Array(count), heights: new Float64Array(count) };
}

/** `start[i] + j` is where the condensed distance of i < j lies. */
function rowStarts(n: number): Int32Array {
  return Int32Array.from({ length: n }, (_, i) => n * i - (i * (i + 1)) / 2 - i - 1);
}

/** Prim's algorithm from point 0: each step adds the point nearest to the tree, the lowest-numbered of equals. */
function minimumSpanningTree(distances: Float64Array, n: number): RawMerges {
  const merges = emptyMerges(n);
  const start = rowStarts(n);
  const toTree = new Float64Array(n).fill(Infinity); // distance of each outside point to the tree
  const outside = Int32Array.from({ length: n }, (_, i) => i); // the first `left` entries, ascending
  let left = n;
  let x = 0;
  let xAt = 0; // where x stands in `outside`

  for (let k = 0; k < n - 1; k++) {
    outside.copyWithin(xAt, xAt + 1, left--);
    let nearest = Infinity;
    let y = x;
    for (let at = 0; at < left; at++) {
      const i = outside[at]!;
      const distance = distances[i < x ? start[i]! + x : start[x]! + i]!;
      if (distance < toTree[i]!) toTree[i] = distance;
      if (toTree[i]! < nearest) {
        nearest = toTree[i]!;
        y = i;
        xAt = at;
      }
    }
    merges.a[k] = x;
    merges.b[k] = y;
    merges.heights[k] = nearest;
    x = y;
  }
  return merges;
}

/**
 * From any cluster on to its nearest neighbour, and on from there, until two are each other's nearest: those merge.
 * A merged cluster lives on under the higher of its two numbers.
 */
function nearestNeighbourChain(d: Float64Array, n: number, method: 'average' | 'complete'): RawMerges {
  const merges = emptyMerges(n);
  const start = rowStarts(n);
  const size = new Int32Array(n).fill(1); // 0: merged away
  const live = Int32Array.from({ length: n }, (_, i) => i); // the first `count` entries, ascending
  let count = n;
  const chain: number[] = [];

  for (let k = 0; k < n - 1; k++) {
    if (chain.length === 0) chain.push(live[0]!);
    let x: number;
    let y: number;
    let nearest: number;
    for (;;) {
      x = chain.at(-1)!;
      // The one before comes first, and only a strictly nearer one replaces it: or ties would chase one another forever.
      const before = chain.at(-2) ?? -1;
      y = before;
      nearest = before < 0 ? Infinity : d[before < x ? start[before]! + x : start[x]! + before]!;
      let at = 0;
      for (; live[at]! < x; at++) {
        const distance = d[start[live[at]!]! + x]!;
        if (distance < nearest) {
          nearest = distance;
          y = live[at]!;
        }
      }
      for (at++; at < count; at++) {
        const distance = d[start[x]! + live[at]!]!;
        if (distance < nearest) {
          nearest = distance;
          y = live[at]!;
        }
      }
      if (y === before) break;
      chain.push(y);
    }
    chain.length -= 2;
    if (x > y) [x, y] = [y, x];

    merges.a[k] = x;
    merges.b[k] = y;
    merges.heights[k] = nearest;

    const nx = size[x]!;
    const ny = size[y]!;
    size[x] = 0;
    size[y] = nx + ny;
    live.copyWithin(live.indexOf(x), live.indexOf(x) + 1, count--);
    for (let at = 0; at < count; at++) {
      const i = live[at]!;
      if (i === y) continue;
      const xi = d[i < x ? start[i]! + x : start[x]! + i]!;
      const yiAt = i < y ? start[i]! + y : start[y]! + i;
      const yi = d[yiAt]!;
      if (method === 'average') d[yiAt] = (nx * xi + ny * yi) / (nx + ny);
      else if (xi > yi) d[yiAt] = xi;
    }
  }
  return merges;
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
