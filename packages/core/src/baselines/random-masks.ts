import {
  type Evaluate,
  fittest,
  fittestFirst,
  type Generation,
  type Mask,
  measure,
  type NeSgdParams,
  nabla,
  rngAt,
  type SavedGeneration,
} from '../evolution/index.js';

export type RandomMasksParams = Pick<
  NeSgdParams,
  'seed' | 'genomeLength' | 'populationSize' | 'generations' | 'initialRetainProbability'
>;

/**
 * Random search in NE-SGD's space (Bergstra and Bengio 2012, "Random Search for Hyper-Parameter Optimization"): every
 * generation's masks are drawn like the initial population's. No selection, crossover, mutation or suppression, so what
 * NE-SGD gains over it is what evolution gains over trying masks.
 *
 * Yields generations as `neSgd` does. The parents are the m fittest so far, for those who look on; nothing comes of them.
 */
export async function* randomMasks(
  p: RandomMasksParams,
  evaluate: Evaluate,
  from?: SavedGeneration,
): AsyncGenerator<Generation, void> {
  let parents = from?.parents ?? [];
  let best = from?.best;
  for (let t = from ? from.t + 1 : 0; t <= p.generations; t++) {
    const rng = rngAt(p.seed, 'random masks', t);
    const draw = (): Mask => Array.from({ length: p.genomeLength }, () => rng.bit(p.initialRetainProbability));
    const drawn = Array.from({ length: p.populationSize }, () => ({ mask: draw() }));
    const offspring = await measure(evaluate, drawn, { generation: t });
    const pool = [...parents, ...offspring];
    best = fittest([...(best ? [best] : []), ...pool]);
    parents = fittestFirst(pool.map(({ fitness }) => fitness))
      .slice(0, p.populationSize)
      .map((i) => pool[i]!);
    yield { t, parents, best, nabla: nabla(parents), offspring, lineage: [], pool, clusters: [], suppressed: [] };
  }
}
