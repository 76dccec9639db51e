import { type Rng, rngAt } from '../evolution/index.js';
import { bestOf, type Hyperparameters, type Member, mostAccurateFirst, type Perform, type Step } from './perform.js';

export interface PbtParams {
  readonly seed: number;
  /** Trainings of each member, one after the other. */
  readonly steps: number;
  /** At least 2. */
  readonly populationSize: number;
  /** Passes over the training images between two looks at the population. */
  readonly epochs: number;
  /** The share of the population that gives up, and of those it copies; at least one of each. */
  readonly truncation: number;
  /** What explore multiplies a hyperparameter by: one of the two, by chance. */
  readonly perturbation: readonly [number, number];
  /** Drawn log-uniformly at the start. Momentum is the same for all. */
  readonly learningRate: Range;
  readonly weightDecay: Range;
  readonly momentum: number;
}

export interface Range {
  readonly from: number;
  readonly to: number;
}

/** A member and what it trains with next. */
interface Worker {
  readonly member: Member;
  readonly hyperparameters: Hyperparameters;
}

/**
 * Population based training, Algorithm 1 of Jaderberg et al. (2017, "Population Based Training of Neural Networks",
 * arXiv 1711.09846), with its truncation selection and its perturbation:
 *
 * - step: each member trains for `epochs` with its own hyperparameters; eval: its accuracy;
 * - exploit: a member of the worst share takes weights and hyperparameters of one of the best share, drawn at random;
 * - explore: what was taken is perturbed, each of learning rate and weight decay times one of two factors.
 *
 * There members are looked at as they come, which depends on whose worker is fast; here the population is in step, so
 * that the result is a function of the experiment.
 */
export async function* pbt(p: PbtParams, perform: Perform): AsyncGenerator<Step, void> {
  const start = rngAt(p.seed, 'pbt', 0);
  let best: Member | null = null;
  let workers: Worker[] = Array.from({ length: p.populationSize }, () => ({
    member: { id: '', accuracy: 0, weights: null },
    hyperparameters: {
      learningRate: logUniform(p.learningRate, start),
      weightDecay: logUniform(p.weightDecay, start),
      momentum: p.momentum,
    },
  }));
  for (let t = 1; t <= p.steps; t++) {
    const ids = workers.map((_, i) => `pbt-${t}-${i + 1}`);
    const outcomes = await perform(
      workers.map(({ member, hyperparameters }, i) => ({
        kind: 'train',
        id: ids[i]!,
        weights: member.weights,
        epochs: p.epochs,
        hyperparameters,
        schedule: 'constant',
        keepWeightsAbove: null,
      })),
    );
    if (outcomes.every((outcome) => outcome === undefined)) return; // The budget was spent before.
    workers = workers.map((worker, i) => {
      const outcome = outcomes[i];
      return outcome ? { ...worker, member: { id: ids[i]!, ...outcome } } : worker;
    });
    const population = workers.map(({ member }) => member);
    best = bestOf([best, ...population]);
    yield { t, population, best };
    if (outcomes.includes(undefined)) return; // The budget is spent.
    workers = exploitAndExplore(workers, p, rngAt(p.seed, 'pbt', t));
  }
}

function exploitAndExplore(workers: readonly Worker[], p: PbtParams, rng: Rng): Worker[] {
  const share = Math.max(1, Math.floor(p.truncation * workers.length));
  const ranking = mostAccurateFirst(workers.map(({ member }) => member));
  const models = ranking.slice(0, share).filter((i) => workers[i]!.member.weights !== null);
  const worst = new Set(ranking.slice(-share));
  return workers.map((worker, i) => {
    if (!worst.has(i) || models.length === 0) return worker;
    const model = workers[models[rng.below(models.length)]!]!;
    return { member: model.member, hyperparameters: perturbed(model.hyperparameters, p.perturbation, rng) };
  });
}

function perturbed(of: Hyperparameters, factors: readonly [number, number], rng: Rng): Hyperparameters {
  return {
    ...of,
    learningRate: of.learningRate * factors[rng.below(2)]!,
    weightDecay: of.weightDecay * factors[rng.below(2)]!,
  };
}

function logUniform({ from, to }: Range, rng: Rng): number {
  return from * (to / from) ** rng.uniform();
}
