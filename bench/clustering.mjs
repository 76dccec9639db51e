/**
 * cluster() beside SciPy (pdist + linkage) on a pool of 4,000 masks of 64 bits, which both get alike.
 * Run: npm run build && node bench/clustering.mjs   PYTHON=... names a Python that has numpy and scipy (default python3).
 * Prints the best of five a linkage, in milliseconds, and how many times as fast as SciPy cluster() is.
 */
import { spawnSync } from 'node:child_process';
import { cluster, LINKAGES, rngAt } from '@nesgd/core/evolution';

const POOL = 4000;
const BITS = 64;
const REPEATS = 5;

const rng = rngAt(1, 'bench', 'clustering');
const masks = Array.from({ length: POOL }, () => Array.from({ length: BITS }, () => rng.bit(0.5)));

const scipy = `
import json, sys, time
import numpy as np
from scipy.cluster.hierarchy import linkage
from scipy.spatial.distance import pdist
pool = np.frombuffer(sys.stdin.buffer.read(), np.uint8).reshape(${POOL}, ${BITS}).astype(np.float64)
def once(method):
    start = time.perf_counter()
    linkage(pdist(pool), method)
    return 1000 * (time.perf_counter() - start)
print(json.dumps({method: min(once(method) for _ in range(${REPEATS})) for method in ${JSON.stringify(LINKAGES)}}))
`;
const python = spawnSync(process.env.PYTHON ?? 'python3', ['-c', scipy], { input: Buffer.from(masks.flat()) });
const peer = python.status === 0 ? JSON.parse(python.stdout.toString()) : undefined;
if (!peer)
  console.log(
    `no SciPy to compare with: ${python.error?.message ?? python.stderr.toString().trim().split('\n').at(-1)}`,
  );

for (const linkage of LINKAGES) {
  const times = Array.from({ length: REPEATS }, () => {
    const start = performance.now();
    cluster(masks, POOL / 2, linkage);
    return performance.now() - start;
  });
  const ours = Math.min(...times);
  const comparison = peer ? `SciPy ${peer[linkage].toFixed(0)} ms, ratio ${(peer[linkage] / ours).toFixed(2)}` : '';
  console.log(`${linkage.padEnd(8)} cluster ${ours.toFixed(0)} ms ${comparison}`);
}
