import { cluster } from './clustering.js';
import { checkSaved, type Generation, type SavedGeneration } from './generation.js';
import type { Evaluate } from './individual.js';
import { initialGeneration } from './initial-generation.js';
import { measure } from './measure.js';
import { checkNeSgdParams, type NeSgdParams } from './parameters.js';
import { fittest, nabla } from './ranking.js';
import { rngAt } from './rng.js';
import { select } from './selection.js';
import { type ClusterPool, suppressWithin, unsuppressed } from './suppression.js';
import { vary } from './variation.js';

/**
 * Algorithm 1: searches masks for the network that retrains to the highest accuracy.
 *
 * Yields generation 0, the initial population, and then one generation after the other up to T. The output of the
 * paper's algorithm, the best binary code, is `best` of the last one.
 *
 * Draws follow from (seed, t) alone, so the search depends neither on how `evaluate` distributes its work nor on where
 * it was interrupted.
 * @param from a generation yielded before, perhaps read back from JSON: the search goes on after it, as if uninterrupted.
 * @param clusterPool asked while the offspring are measured.
 * @throws EvolutionParameterError, SavedGenerationError before any work; EvaluationError when `evaluate` breaks its word.
 */
export async function* neSgd(
  p: NeSgdParams,
  evaluate: Evaluate,
  from?: SavedGeneration,
  clusterPool: ClusterPool = async (...asked) => cluster(...asked),
): AsyncGenerator<Generation, void> {
  checkNeSgdParams(p);
  if (from) checkSaved(from, p);

  let { t, parents, best } = from ?? (yield* initialGeneration(p, evaluate)); // lines 1 and 3
  // line 2
  while (t < p.generations) {
    t += 1; // line 12
    if (p.reevaluateSurvivors && t > 1) parents = await measure(evaluate, parents, { generation: t, again: true }); // line 3
    const children = vary(parents, p, rngAt(p.seed, 'generation', t)); // lines 4-9
    const masks = [...parents, ...children].map(({ mask }) => mask);
    const [offspring, clusters] = await Promise.all([
      measure(evaluate, children, { generation: t }), // line 10
      p.suppression ? clusterPool(masks, p.populationSize, p.linkage) : undefined, // Algorithm 2, lines 1-20
    ]);
    const everyone = [...parents, ...offspring];
    const pool = clusters ? suppressWithin(everyone, clusters) : unsuppressed(everyone);
    parents = select(pool, p.populationSize); // line 11
    best = fittest([best, ...everyone]);
    const lineage = children.map((child) => child.lineage);
    yield { t, parents, best, nabla: nabla(parents), offspring, lineage, ...pool };
  }
}
