import type { Individual } from './individual.js';

/**
 * The one order that suppression, selection and the output go by: higher fitness first and, of equals, the one that
 * stands first. Parents stand before their offspring in a pool, so an equal newcomer displaces nobody.
 * @returns the indices of `fitness`, best first.
 */
export function fittestFirst(fitness: readonly number[]): number[] {
  return [...fitness.keys()].sort((i, j) => fitness[j]! - fitness[i]! || i - j);
}

/** @throws RangeError when there is nobody. */
export function fittest(individuals: readonly Individual[]): Individual {
  const [first] = fittestFirst(individuals.map((individual) => individual.fitness));
  if (first === undefined) throw new RangeError('there is no fittest of no individuals');
  return individuals[first]!;
}

/** Section II-C: nabla, the range of fitness in a population; the wider, the wider the search. @returns at least 0. */
export function nabla(individuals: readonly Individual[]): number {
  const fitness = individuals.map((individual) => individual.fitness);
  return Math.max(...fitness) - Math.min(...fitness);
}
