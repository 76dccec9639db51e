import { exchange } from './crossover.js';
import type { Individual, Mask } from './individual.js';
import type { NeSgdParams } from './parameters.js';
import type { Rng } from './rng.js';

/** Where an offspring comes from. */
export interface Lineage {
  /** Positions in K_t; its bits start from the first's. Both are the same where one individual won both tournaments. */
  readonly parents: readonly [number, number];
  /** Whether the parents exchanged bits (probability mu). */
  readonly crossover: boolean;
  /** Which bits mutation flipped, ascending. */
  readonly mutated: readonly number[];
}

/** An offspring before it is evaluated. */
export interface Child {
  readonly mask: Mask;
  readonly lineage: Lineage;
}

export type VariationParams = Pick<
  NeSgdParams,
  'populationSize' | 'crossoverProbability' | 'mutationProbability' | 'crossover'
>;

/**
 * Algorithm 1, lines 4-9: G_t, as many offspring as the population has individuals, two from each two parents; of an
 * odd number the last has no twin.
 * @param parents K_t with raw fitness.
 */
export function vary(parents: readonly Individual[], p: VariationParams, rng: Rng): Child[] {
  const { crossoverProbability: mu, mutationProbability: nu } = p;
  const children: Child[] = []; // line 4
  // Line 5
  while (children.length < p.populationSize) {
    const i = binaryTournament(parents, rng); // line 6
    const j = binaryTournament(parents, rng);
    const a = [...parents[i]!.mask]; // line 7
    const b = [...parents[j]!.mask];
    const crossover = rng.bit(mu) === 1;
    if (crossover) exchange[p.crossover](a, b, rng);
    children.push(mutate(a, nu, rng, { parents: [i, j], crossover })); // lines 7 and 8
    children.push(mutate(b, nu, rng, { parents: [j, i], crossover }));
  }
  return children.slice(0, p.populationSize);
}

/**
 * Two individuals drawn with replacement; the fitter wins, and the one drawn first when they are equal.
 * @returns the winner's position.
 */
function binaryTournament(individuals: readonly Individual[], rng: Rng): number {
  const first = rng.below(individuals.length);
  const second = rng.below(individuals.length);
  return individuals[second]!.fitness > individuals[first]!.fitness ? second : first;
}

/** Flips each bit with probability nu. */
function mutate(mask: Mask, nu: number, rng: Rng, lineage: Omit<Lineage, 'mutated'>): Child {
  const flips = mask.map(() => rng.bit(nu));
  const mutated = [...flips.keys()].filter((i) => flips[i]);
  return { mask: mask.map((bit, i) => (flips[i] ? flip(bit) : bit)), lineage: { ...lineage, mutated } };
}

function flip(bit: 0 | 1): 0 | 1 {
  return bit ? 0 : 1;
}
