import type { Generation } from './generation.js';
import type { Individual, Mask } from './individual.js';
import { checkNeSgdParams, type NeSgdParams } from './parameters.js';
import { fittest, nabla } from './ranking.js';
import { rngAt } from './rng.js';
import { select } from './selection.js';
import { suppress, unsuppressed } from './suppression.js';
import { vary } from './variation.js';

export interface SteadyStateParams extends NeSgdParams {
  /** L: measurements under way at a time, from 1 to the population size. */
  readonly steadyStateLag: number;
}

/**
 * Begins the measurement of one individual; undefined where nothing is left to measure it with.
 * @param settled results that the search has taken in by now: 0 to settled - 1, in the order of birth. Whatever the
 * measurement is made to depend on has to follow from these, not from what else is finished.
 */
export type EvaluateOne = (mask: Mask, birth: { index: number; settled: number }) => Promise<Individual> | undefined;

/**
 * NE-SGD without generations that wait: a steady-state algorithm (Whitley 1989, "The GENITOR Algorithm and Selection
 * Pressure") in which every result brings one selection and one offspring.
 *
 * Usually that depends on which worker is fast. Here it does not: individual i is bred from the results 0 to i - L in
 * their order of birth, whatever else is known, so L measurements are under way at a time, and a worker waits for a slow
 * one only when it is L ahead of it.
 *
 * An offspring joins the m survivors, and select takes m of the m + 1; Algorithm 2 before it makes half as many clusters as
 * there are individuals, as m of 2m are. The first offspring are bred from as much of the initial population as is known.
 *
 * Yields a generation whenever m results more have been taken in. Its pool is not clustered: there was one pool a birth.
 */
export async function* steadyState(p: SteadyStateParams, evaluate: EvaluateOne): AsyncGenerator<Generation, void> {
  checkNeSgdParams(p);
  const { populationSize: m, steadyStateLag: lag } = p;
  const births = m * (p.generations + 1);
  const underWay: Promise<Individual>[] = [];
  let settled = 0;
  let parents: readonly Individual[] = [];
  let before: readonly Individual[] = [];
  let newcomers: Individual[] = [];
  let best: Individual | undefined;

  /** Takes in the result that is next by birth. @returns the generation that it closes. */
  const takeIn = async (): Promise<Generation | undefined> => {
    const individual = await underWay.shift()!;
    settled += 1;
    parents = settled <= m ? [...parents, individual] : survivorsOf([...parents, individual], p);
    newcomers.push(individual);
    best = fittest([...(best ? [best] : []), individual]);
    if (settled % m !== 0) return undefined;
    const t = settled / m - 1;
    const offspring = t === 0 ? [] : newcomers;
    const pool = unsuppressed([...before, ...newcomers]);
    before = parents;
    newcomers = [];
    return { t, parents, best, nabla: nabla(parents), offspring, lineage: [], ...pool };
  };

  try {
    for (let index = 0; index < births; index++) {
      while (settled < index - lag + 1) {
        const closed = await takeIn();
        if (closed) yield closed;
      }
      const mask = birthOf(index, parents, p);
      let begun = evaluate(mask, { index, settled });
      if (!begun) {
        // What is under way may cost less than was set aside for it.
        while (underWay.length > 0) {
          const closed = await takeIn();
          if (closed) yield closed;
        }
        begun = evaluate(mask, { index, settled });
        if (!begun) return;
      }
      begun.catch(() => {}); // Whoever awaits it meets the error.
      underWay.push(begun);
    }
    while (underWay.length > 0) {
      const closed = await takeIn();
      if (closed) yield closed;
    }
  } finally {
    await Promise.allSettled(underWay); // What they give is kept, by whoever measures.
  }
}

/** Of the first m births a mask is drawn, of the others bred. */
function birthOf(index: number, parents: readonly Individual[], p: SteadyStateParams): Mask {
  const rng = rngAt(p.seed, 'steady state', index);
  if (index < p.populationSize) {
    return Array.from({ length: p.genomeLength }, () => rng.bit(p.initialRetainProbability));
  }
  return vary(parents, { ...p, populationSize: 1 }, rng)[0]!.mask;
}

function survivorsOf(everyone: readonly Individual[], p: SteadyStateParams): Individual[] {
  const clusters = Math.ceil(everyone.length / 2);
  const pool = p.suppression ? suppress(everyone, clusters, p.linkage) : unsuppressed(everyone);
  return select(pool, p.populationSize);
}
