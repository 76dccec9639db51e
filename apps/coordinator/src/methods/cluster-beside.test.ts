import { cluster, LINKAGES, type Mask, Rng } from '@nesgd/core/evolution';
import { describe, expect, test } from 'vitest';
import { clusterBeside } from './cluster-beside.js';

function drawnMasks(count: number): Mask[] {
  const rng = new Rng([1, 2, 3, 4]);
  return Array.from({ length: count }, () => Array.from({ length: 12 }, () => rng.bit(0.7)));
}

describe('clusterBeside', () => {
  test.each(LINKAGES)('a thread gives the clusters that are found here, by %s linkage', async (linkage) => {
    const masks = drawnMasks(60);
    const clusterPool = clusterBeside(new AbortController().signal, 60);
    expect(await clusterPool(masks, 30, linkage)).toEqual(cluster(masks, 30, linkage));
  });

  test('it waits for nobody who has stopped the run, and says his reason', async () => {
    const stop = new AbortController();
    const clusters = clusterBeside(stop.signal, 2)(drawnMasks(4_000), 2_000, 'average');
    stop.abort(new Error('stopped by its user'));
    await expect(clusters).rejects.toThrow('stopped by its user');
    await expect(clusterBeside(stop.signal, 2)(drawnMasks(3), 2, 'average')).rejects.toThrow('stopped by its user');
  });

  test('what is wrong with a pool is said as it is here', async () => {
    const uneven: Mask[] = [[1, 0], [1]];
    await expect(clusterBeside(new AbortController().signal, 2)(uneven, 1, 'average')).rejects.toThrow(/bits|long/);
  });
});
