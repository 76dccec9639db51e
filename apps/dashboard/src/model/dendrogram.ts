import { hammingDistances, type Linkage, linkage } from '@nesgd/core/evolution';

/** One merge as it is drawn: two arms from where its clusters stand, joined at its height. */
export interface DrawnMerge {
  readonly height: number;
  /** Places of the arms among the leaves, and the heights at which they begin. */
  readonly places: readonly [number, number];
  readonly from: readonly [number, number];
  /** It was made before the merging stopped: both sides are one cluster. */
  readonly isWithin: boolean;
}

export interface Dendrogram {
  /** Positions in the pool, in an order in which no arms cross. */
  readonly leaves: readonly number[];
  readonly merges: readonly DrawnMerge[];
  /** Where the merging stopped: between the last merge that was made and the next. */
  readonly cutHeight: number;
}

/**
 * Algorithm 2's clustering of a pool, run on to a single cluster.
 * @param masks of the pool, in its order. @param count clusters at which the algorithm stops.
 */
export function dendrogram(masks: readonly string[], count: number, method: Linkage): Dendrogram {
  const n = masks.length;
  const bits = masks.map((mask) => Array.from(mask, (bit) => (bit === '1' ? 1 : 0) as 0 | 1));
  const tree = linkage(hammingDistances(bits), n, method);
  const members: number[][] = Array.from({ length: n }, (_, i) => [i]);
  for (let k = 0; k < n - 1; k++)
    members.push([...(members[tree.left[k] as number] ?? []), ...(members[tree.right[k] as number] ?? [])]);
  const leaves = members.at(-1) ?? [];
  const place = new Float64Array(2 * n - 1);
  const height = new Float64Array(2 * n - 1);
  leaves.forEach((leaf, i) => {
    place[leaf] = i;
  });
  const merges = Array.from({ length: n - 1 }, (_, k): DrawnMerge => {
    const [left, right] = [tree.left[k] as number, tree.right[k] as number];
    const merged = {
      height: tree.heights[k] as number,
      places: [place[left] as number, place[right] as number] as const,
      from: [height[left] as number, height[right] as number] as const,
      isWithin: k < n - count,
    };
    place[n + k] = (merged.places[0] + merged.places[1]) / 2;
    height[n + k] = merged.height;
    return merged;
  });
  const last = merges[n - count - 1]?.height ?? 0;
  const next = merges[n - count]?.height ?? last;
  return { leaves, merges, cutHeight: (last + next) / 2 };
}
