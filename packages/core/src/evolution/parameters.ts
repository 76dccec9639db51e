import { EvolutionParameterError } from '../errors.js';
import { CROSSOVERS, type Crossover } from './crossover.js';
import { LINKAGES, type Linkage } from './linkage.js';

/** What Algorithm 1 is given. The defaults of the experiment file are Table I's and the design's. */
export interface NeSgdParams {
  /** Everything drawn follows from it. An integer from 0. */
  readonly seed: number;
  /** n: the blocks of the network, so the bits of a mask. At least 1. */
  readonly genomeLength: number;
  /** m: at least 2. Offspring per generation are as many. */
  readonly populationSize: number;
  /** T: from 0, which evaluates the initial population and ends. */
  readonly generations: number;
  /** mu: of a pair of parents exchanging bits. */
  readonly crossoverProbability: number;
  /** nu: of each bit flipping. */
  readonly mutationProbability: number;
  readonly crossover: Crossover;
  readonly linkage: Linkage;
  /** Algorithm 2 before selection; without it, selection goes by raw fitness. */
  readonly suppression: boolean;
  /** Line 3 to the letter: survivors are measured anew in each generation, with fresh draws. */
  readonly reevaluateSurvivors: boolean;
  /** The probability of a 1, a kept block, in the initial population. */
  readonly initialRetainProbability: number;
}

/** @throws EvolutionParameterError naming the first parameter that is out of its range. */
export function checkNeSgdParams(p: NeSgdParams): void {
  integerFrom(0, 'seed');
  integerFrom(1, 'genomeLength');
  integerFrom(2, 'populationSize');
  integerFrom(0, 'generations');
  for (const name of ['crossoverProbability', 'mutationProbability', 'initialRetainProbability'] as const) {
    demand(p[name] >= 0 && p[name] <= 1, name, 'a probability from 0 to 1');
  }
  demand(CROSSOVERS.includes(p.crossover), 'crossover', `one of ${CROSSOVERS.join(', ')}`);
  demand(LINKAGES.includes(p.linkage), 'linkage', `one of ${LINKAGES.join(', ')}`);

  function integerFrom(least: number, name: keyof NeSgdParams): void {
    demand(Number.isSafeInteger(p[name]) && Number(p[name]) >= least, name, `a whole number from ${least}, below 2^53`);
  }
  function demand(holds: boolean, name: keyof NeSgdParams, wanted: string): void {
    if (!holds) throw new EvolutionParameterError(name, p[name], wanted);
  }
}
