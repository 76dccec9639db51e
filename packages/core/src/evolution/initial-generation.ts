import type { Generation } from './generation.js';
import type { Evaluate, Mask } from './individual.js';
import { measure } from './measure.js';
import type { NeSgdParams } from './parameters.js';
import { fittest, nabla } from './ranking.js';
import { type Rng, rngAt } from './rng.js';
import { unsuppressed } from './suppression.js';

/** Algorithm 1, lines 1 and 3 (for t = 1): draws the initial population and measures it. Yields and returns it. */
export async function* initialGeneration(p: NeSgdParams, evaluate: Evaluate): AsyncGenerator<Generation, Generation> {
  const genomes = randomMasks(p, rngAt(p.seed, 'generation', 0)); // line 1
  const parents = await measure(evaluate, genomes, { generation: 0 }); // line 3
  const best = fittest(parents);
  const initial = { t: 0, parents, best, nabla: nabla(parents), offspring: [], lineage: [], ...unsuppressed(parents) };
  yield initial;
  return initial;
}

/** Line 1: m masks of n bits, each bit 1 with probability `initialRetainProbability`. */
function randomMasks(p: NeSgdParams, rng: Rng): { mask: Mask }[] {
  const mask = () => Array.from({ length: p.genomeLength }, () => rng.bit(p.initialRetainProbability));
  return Array.from({ length: p.populationSize }, () => ({ mask: mask() }));
}
