import { SavedGenerationError } from '../errors.js';
import type { Individual } from './individual.js';
import type { NeSgdParams } from './parameters.js';
import type { SuppressedPool } from './suppression.js';
import type { Lineage } from './variation.js';

/**
 * One generation, closed: everything that a resume, a dashboard or a report needs. Plain data; JSON keeps all of it.
 * In generation 0 the pool is the initial population, and there are no offspring.
 */
export interface Generation extends SuppressedPool {
  readonly t: number;
  /** K_{t+1}: the m survivors, in the order of selection; in generation 0 as drawn. */
  readonly parents: readonly Individual[];
  /** The fittest individual measured in any generation so far; of equals, the first. */
  readonly best: Individual;
  /** The range of the survivors' fitness. */
  readonly nabla: number;
  /** G_t, in the order of birth: the last m of the pool. */
  readonly offspring: readonly Individual[];
  /** Of each offspring. Its parents' positions count in K_t, so in the pool too. */
  readonly lineage: readonly Lineage[];
}

/** What a search needs to go on. */
export type SavedGeneration = Pick<Generation, 't' | 'parents' | 'best'>;

/** @throws SavedGenerationError when the generation cannot come from a search with these parameters. */
export function checkSaved({ t, parents, best }: SavedGeneration, p: NeSgdParams): void {
  if (!Number.isInteger(t) || t < 0 || t > p.generations) {
    throw new SavedGenerationError(`is number ${t}, but the search has generations 0 to ${p.generations}`);
  }
  if (parents.length !== p.populationSize) {
    throw new SavedGenerationError(`has ${parents.length} survivors, but the population size is ${p.populationSize}`);
  }
  for (const { mask } of [...parents, best]) {
    if (mask.length !== p.genomeLength) {
      throw new SavedGenerationError(`has a mask of ${mask.length} bits, but the model has ${p.genomeLength} blocks`);
    }
  }
}
