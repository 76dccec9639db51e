import { hammingDistance } from './hamming.js';
import type { Mask } from './individual.js';
import { type Linkage, linkageOfSquare, type MergeTree } from './linkage.js';
import { squareDistances } from './square-distances.js';
import { UnionFind } from './union-find.js';

/**
 * Algorithm 2, lines 1-20: hierarchical clustering of bit strings by Eq. 7 until `count` clusters are left. Takes 8 n^2
 * bytes meanwhile.
 * @param masks n masks of one length.
 * @param count clusters wanted, in [1, n].
 * @returns `[n]`, the cluster of each mask, numbered 0..count-1 in the order in which the masks first meet them.
 * @throws RangeError for a count outside [1, n]; MaskLengthError for masks of different lengths.
 */
export function cluster(masks: readonly Mask[], count: number, method: Linkage = 'average'): Int32Array {
  const square = squareDistances(masks.length, hammingDistance(masks));
  return cut(linkageOfSquare(square, masks.length, method), count);
}

/**
 * Stops the merging of `tree` at `count` clusters, by its first n - count merges. SciPy's `cut_tree` orders merges of
 * equal height its own way, so its clusters can differ from these where heights tie across the cut.
 * @returns as `cluster`.
 */
export function cut(tree: MergeTree, count: number): Int32Array {
  if (!Number.isInteger(count) || count < 1 || count > tree.points) {
    throw new RangeError(`${tree.points} points fall into 1 to ${tree.points} clusters, not ${count}`);
  }
  const clusters = new UnionFind(tree.points);
  for (let k = 0; k < tree.points - count; k++) clusters.merge(tree.left[k]!, tree.right[k]!);

  const numbers = new Map<number, number>();
  return Int32Array.from({ length: tree.points }, (_, i) => {
    const root = clusters.find(i);
    const number = numbers.get(root) ?? numbers.size;
    numbers.set(root, number);
    return number;
  });
}
