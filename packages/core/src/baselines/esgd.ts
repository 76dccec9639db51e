import { type Rng, rngAt } from '../evolution/index.js';
import { bestOf, type Hyperparameters, type Member, mostAccurateFirst, type Perform, type Step } from './perform.js';

/** Symbols of the paper in brackets. */
export interface EsgdParams {
  readonly seed: number;
  /** [K] One SGD step and one evolution step each. */
  readonly generations: number;
  /** [mu] At least 2. */
  readonly populationSize: number;
  /** [lambda] Offspring of an evolution step. */
  readonly offspring: number;
  /** [m] Of the population, those that survive by fitness; the others are drawn from the rest. */
  readonly elite: number;
  /** [rho] Parents of one offspring. */
  readonly parents: number;
  /** [sigma_0] Standard deviation of the first generation's mutation; sigma_k = sigma_0 / k. */
  readonly noise: number;
  /** [K_s] Passes over the training images of one SGD step. */
  readonly epochs: number;
  /** The species: each individual draws one of these optimisers anew in each generation. */
  readonly species: readonly Hyperparameters[];
  /** Of a species' learning rate, the smallest part that is drawn; log-uniformly, up to all of it. */
  readonly smallestRateFactor: number;
  /** Learning rates of generation k are multiplied by this to the power k - 1; left out, they stay as they are. */
  readonly rateDecay?: number | undefined;
}

/**
 * Evolutionary stochastic gradient descent after Cui, Zhang, Tueske and Picheny (2018, "Evolutionary Stochastic Gradient
 * Descent for Optimization of Deep Neural Networks", NeurIPS 31), whose Algorithm 1 is
 * not public: docs/methods.md says where each detail was found. Two steps in turn improve the m-elitist average fitness
 * J = 1/m sum of the m best:
 *
 * 1. SGD: each individual trains with an optimiser of its own, the species. One whose fitness degrades backs off to the
 *    weights it had.
 * 2. Evolution: lambda offspring, each the mean of rho parents plus Gaussian noise, the parents drawn by roulette wheel.
 *    Of all mu + lambda, the m fittest survive, and mu - m of the others, drawn at random.
 *
 * Back-off and elite keep the best from ever degrading. What is left open there or differs here: fitness is accuracy, so
 * the wheel turns on it and not on an inverse loss; species are momentum SGD with different settings; a back-off looks
 * at a whole SGD step; running statistics of batch norm are averaged and get no noise.
 */
export async function* esgd(p: EsgdParams, perform: Perform): AsyncGenerator<Step, void> {
  let best: Member | null = null;
  let population: Member[] = Array.from({ length: p.populationSize }, () => ({ id: '', accuracy: 0, weights: null }));
  for (let k = 1; k <= p.generations; k++) {
    const rng = rngAt(p.seed, 'esgd', k);
    const { trained, left } = await sgdStep(population, k, p, rng, perform);
    if (left === 'nothing') return;
    const alive = trained.filter(({ weights }) => weights !== null);
    const offspring = await evolutionStep(alive, k, p, rng, perform);

    const pool = [...alive, ...offspring];
    best = bestOf([best, ...pool]);
    population = survivors(pool, p, rng);
    // Who diverged from the very first starts anew from other random weights.
    while (population.length < p.populationSize) population.push({ id: '', accuracy: 0, weights: null });
    yield { t: k, population: population.filter(({ weights }) => weights !== null), best };
    if (left === 'not enough') return;
  }
}

async function sgdStep(population: readonly Member[], k: number, p: EsgdParams, rng: Rng, perform: Perform) {
  const ids = population.map((_, j) => `sgd-${k}-${j + 1}`);
  const outcomes = await perform(
    population.map(({ weights }, j) => ({
      kind: 'train',
      id: ids[j]!,
      weights,
      epochs: p.epochs,
      hyperparameters: drawSpecies(p, k, rng),
      schedule: 'constant',
      keepWeightsAbove: null,
    })),
  );
  const trained = population.map((before, j): Member => {
    const after = outcomes[j];
    const degraded = !after?.weights || (before.weights !== null && after.accuracy < before.accuracy);
    return degraded ? before : { id: ids[j]!, ...after };
  });
  const given = outcomes.filter((outcome) => outcome !== undefined).length;
  const left = given === 0 ? 'nothing' : given < outcomes.length ? 'not enough' : 'more';
  return { trained, left } as const;
}

function drawSpecies(p: EsgdParams, k: number, rng: Rng): Hyperparameters {
  const drawn = p.species[rng.below(p.species.length)]!;
  // A budget may bring more generations than powers: no rate comes to 0, which no training takes.
  const decay = Math.max(1e-30, (p.rateDecay ?? 1) ** (k - 1));
  return { ...drawn, learningRate: drawn.learningRate * p.smallestRateFactor ** rng.uniform() * decay };
}

async function evolutionStep(parents: readonly Member[], k: number, p: EsgdParams, rng: Rng, perform: Perform) {
  if (parents.length === 0) return [];
  const ids = Array.from({ length: p.offspring }, (_, j) => `offspring-${k}-${j + 1}`);
  const outcomes = await perform(
    ids.map((id) => ({
      kind: 'recombine',
      id,
      parents: Array.from({ length: p.parents }, () => rouletteWheel(parents, rng).weights!),
      noise: p.noise / k,
    })),
  );
  return outcomes.flatMap((outcome, j): Member[] => (outcome?.weights ? [{ id: ids[j]!, ...outcome }] : []));
}

/** Fitness-proportional: an individual twice as accurate is drawn twice as often. */
function rouletteWheel(members: readonly Member[], rng: Rng): Member {
  const sum = members.reduce((total, { accuracy }) => total + accuracy, 0);
  if (sum === 0) return members[rng.below(members.length)]!;
  let left = rng.uniform() * sum;
  for (const member of members) {
    left -= member.accuracy;
    if (left < 0) return member;
  }
  return members.at(-1)!; // Rounding.
}

function survivors(pool: readonly Member[], { populationSize, elite }: EsgdParams, rng: Rng): Member[] {
  const ranked = mostAccurateFirst(pool).map((i) => pool[i]!);
  const others = rng.shuffle(ranked.slice(elite));
  return [...ranked.slice(0, elite), ...others.slice(0, populationSize - elite)];
}
