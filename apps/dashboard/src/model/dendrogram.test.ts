import { cluster, type Mask } from '@nesgd/core/evolution';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { dendrogram } from './dendrogram.js';

const LINKAGES = ['average', 'single', 'complete'] as const;

const pools = fc
  .integer({ min: 2, max: 12 })
  .chain((n) =>
    fc.array(fc.array(fc.constantFrom<0 | 1>(0, 1), { minLength: 6, maxLength: 6 }), { minLength: n, maxLength: n }),
  )
  .chain((masks) => fc.tuple(fc.constant(masks as Mask[]), fc.integer({ min: 1, max: masks.length })));

test('dendrogram: its merges within clusters join just what the algorithm clusters', () => {
  fc.assert(
    fc.property(pools, fc.constantFrom(...LINKAGES), ([masks, count], linkage) => {
      const { leaves, merges } = dendrogram(
        masks.map((mask) => mask.join('')),
        count,
        linkage,
      );
      expect(leaves.toSorted((a, b) => a - b)).toEqual(masks.map((_, i) => i));
      expect(merges.filter(({ isWithin }) => isWithin)).toHaveLength(masks.length - count);
      // Leaves of one cluster stand side by side: as many changes of cluster along them as there are clusters, less one.
      const clusters = cluster(masks, count, linkage);
      const changes = leaves.filter((leaf, i) => i > 0 && clusters[leaf] !== clusters[leaves[i - 1] as number]);
      expect(changes).toHaveLength(count - 1);
    }),
  );
});

test('dendrogram: arms begin where their clusters were joined, and never above their own joint', () => {
  fc.assert(
    fc.property(pools, ([masks, count]) => {
      const { merges } = dendrogram(
        masks.map((mask) => mask.join('')),
        count,
        'average',
      );
      for (const { from, height } of merges) for (const start of from) expect(start).toBeLessThanOrEqual(height);
    }),
  );
});
