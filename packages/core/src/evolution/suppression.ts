import { cluster } from './clustering.js';
import type { Individual, Mask } from './individual.js';
import type { Linkage } from './linkage.js';
import { fittestFirst } from './ranking.js';

/** Eq. 8: clusters of at most this many members are left alone. */
const UNTOUCHED_CLUSTER_SIZE = 3;
/** Eq. 8: what the fitness of a suppressed individual is multiplied by. */
const SUPPRESSION_FACTOR = 1e-2;

/** A pool after Algorithm 2. Marks stand beside the individuals, whose raw fitness is as it was. */
export interface SuppressedPool {
  /** K_t, then G_t. */
  readonly pool: readonly Individual[];
  /** The cluster of each of the pool, from 0, numbered as first met; empty when suppression is off. */
  readonly clusters: readonly number[];
  /** Where in the pool the suppressed stand, ascending. */
  readonly suppressed: readonly number[];
}

/**
 * Algorithm 2 with Eq. 7 and 8: clusters the pool by Hamming distance and marks the least fit of each cluster of more
 * than three. Of equally unfit members, the one that stands last in the pool is marked.
 * @param pool the 2m individuals of K_t and G_t.
 * @param clusterCount q at the end of the loop: m.
 * @throws RangeError unless 1 <= clusterCount <= pool.length; MaskLengthError for masks of different lengths.
 */
export function suppress(
  pool: readonly Individual[],
  clusterCount: number,
  linkage: Linkage = 'average',
): SuppressedPool {
  const masks = pool.map((individual) => individual.mask);
  return suppressWithin(pool, cluster(masks, clusterCount, linkage));
}

/**
 * Lines 1-20 of Algorithm 2 as a port. They look at masks alone, so they need not wait for the offspring's fitness, and
 * an adapter may do them elsewhere: among thousands of masks they take seconds.
 * Resolves to what `cluster` gives.
 */
export type ClusterPool = (masks: readonly Mask[], count: number, linkage: Linkage) => Promise<Int32Array>;

/**
 * Algorithm 2 from line 21 on, and Eq. 8: marks the least fit of each cluster of more than three.
 * @param clusters `[pool.length]`, from 0 without gaps: what `cluster` gives for the pool's masks.
 */
export function suppressWithin(pool: readonly Individual[], clusters: Int32Array): SuppressedPool {
  const size: number[] = [];
  const leastFit: number[] = [];
  for (const i of fittestFirst(pool.map((individual) => individual.fitness))) {
    const c = clusters[i]!;
    size[c] = (size[c] ?? 0) + 1;
    leastFit[c] = i; // the last one to come is the least fit
  }
  const suppressed = leastFit.filter((_, c) => size[c]! > UNTOUCHED_CLUSTER_SIZE); // lines 22-26
  return { pool, clusters: [...clusters], suppressed: suppressed.sort((i, j) => i - j) };
}

/** A pool that Algorithm 2 has not touched: the ablation of Table V. */
export function unsuppressed(pool: readonly Individual[]): SuppressedPool {
  return { pool, clusters: [], suppressed: [] };
}

/** Eq. 8: E*, what environmental selection goes by. Exists only there: nothing stores it. */
export function suppressedFitness({ pool, suppressed }: SuppressedPool): number[] {
  const fitness = pool.map((individual) => individual.fitness);
  for (const i of suppressed) fitness[i]! *= SUPPRESSION_FACTOR;
  return fitness;
}
