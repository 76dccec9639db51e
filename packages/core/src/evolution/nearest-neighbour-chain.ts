import { LiveClusters } from './live-clusters.js';
import { emptyMerges, type RawMerges } from './raw-merges.js';

/**
 * From any cluster on to its nearest neighbour, and on from there, until two are each other's nearest: those merge.
 * A merged cluster lives on under the higher of its two numbers.
 * @param d `[n n]`, symmetric. Overwritten.
 */
export function nearestNeighbourChain(d: Float64Array, n: number, method: 'average' | 'complete'): RawMerges {
  const merges = emptyMerges(n);
  const clusters = new LiveClusters(d, n);
  const size = new Int32Array(n).fill(1);
  const chain: number[] = [];

  for (let k = 0; k < n - 1; k++) {
    if (chain.length === 0) chain.push(clusters.first());
    for (;;) {
      const before = chain.at(-2) ?? -1;
      const next = clusters.nearestTo(chain.at(-1)!, before);
      if (next === before) break;
      chain.push(next);
    }
    const [x, y] = chain.splice(-2).sort((p, q) => p - q) as [number, number];
    merges.a[k] = x;
    merges.b[k] = y;
    merges.heights[k] = clusters.distance(x, y);

    clusters.merge(x, y, method === 'average' ? { x: size[x]!, y: size[y]! } : 'farthest');
    size[y]! += size[x]!;
  }
  return merges;
}
