import type { Mask } from './individual.js';
import type { NeSgdParams } from './parameters.js';

/** The paper's Table I, on a toy genome. */
export const ONE_MAX_PARAMS: NeSgdParams = {
  seed: 1,
  genomeLength: 12,
  populationSize: 5,
  generations: 30,
  crossoverProbability: 0.9,
  mutationProbability: 0.1,
  crossover: 'uniform',
  linkage: 'average',
  suppression: true,
  reevaluateSurvivors: false,
  initialRetainProbability: 0.5,
};

/** OneMax: the share of kept blocks. */
export const oneMax = (mask: Mask): number => mask.filter((bit) => bit === 1).length / mask.length;
