export { cluster } from './clustering.js';
export { CROSSOVERS, type Crossover } from './crossover.js';
export type { Generation, SavedGeneration } from './generation.js';
export { hammingDistances } from './hamming.js';
export {
  type Evaluate,
  type EvaluationContext,
  type Individual,
  type Mask,
  maskFromString,
  maskToString,
} from './individual.js';
export { LINKAGES, type Linkage, linkage, type MergeTree } from './linkage.js';
export { measure } from './measure.js';
export { neSgd } from './ne-sgd.js';
export { checkNeSgdParams, type NeSgdParams } from './parameters.js';
export { fittest, fittestFirst, nabla } from './ranking.js';
export { Rng, rngAt } from './rng.js';
export { select } from './selection.js';
export { type EvaluateOne, type SteadyStateParams, steadyState } from './steady-state.js';
export { type HalvingParams, halvingCosts, rungsOf, successiveHalving } from './successive-halving.js';
export { type ClusterPool, type SuppressedPool, suppress, unsuppressed } from './suppression.js';
export { type Child, type Lineage, type VariationParams, vary } from './variation.js';
