import { halvingCosts, rungsOf } from '@nesgd/core/evolution';
import { searchesMasks, usesAlpha } from '@nesgd/core/methods';
import { alphaTrainingOf, type Experiment, retrainingOf } from '@nesgd/core/run';

import { retrainingEpochs } from './methods/shorter-retraining.js';

/** What an experiment asks of the workers: upper bounds, since a genome measured before is not trained again. */
export interface Workload {
  /** Epochs of alpha's training; 0 where it is not trained. */
  readonly alphaEpochs: number;
  /** Rounds after each of which the method waits for all its networks: generations (the initial one too), steps. */
  readonly rounds: number;
  /** Networks trained in one round, and epochs of each. */
  readonly atOnce: number;
  readonly epochsOfOne: number;
  /** Networks trained in all. */
  readonly evaluations: number;
  /** Passes over the training images, alpha's among them. */
  readonly epochs: number;
  /** Trainings and measurements: alpha, evaluations, ESGD's offspring, the test set at the end. */
  readonly jobs: number;
}

/** @param epochImages training images of one epoch: what a budget is divided by. */
export function workloadOf(experiment: Experiment, epochImages: number): Workload {
  const { alpha, budget, method } = experiment;
  const withAlpha = usesAlpha(method.name);
  const alphaEpochs = withAlpha && !('from' in alpha) ? alphaTrainingOf(experiment).epochs : 0;
  const { atOnce, epochsOfOne, evaluations: set, offspring, jobsOfOne = 1 } = plan(experiment);

  const epochsLeft =
    budget === undefined
      ? set * epochsOfOne - savedByGrowth(experiment)
      : Math.floor(budget / epochImages) - alphaEpochs;
  const evaluations = budget === undefined ? set : Math.max(0, Math.ceil(epochsLeft / epochsOfOne));
  const rounds = Math.ceil(evaluations / atOnce);
  return {
    alphaEpochs,
    rounds,
    atOnce,
    epochsOfOne,
    evaluations,
    epochs: alphaEpochs + Math.max(0, roundedUp(epochsLeft)),
    jobs: (withAlpha ? 2 : 0) + roundedUp(evaluations * jobsOfOne) + rounds * offspring + 1,
  };
}

/** Means times counts are whole but for rounding. */
const roundedUp = (value: number): number => Math.ceil(value - 1e-6);

/** The number of the last generation or step; null where a budget decides. */
export function generationsOf(experiment: Experiment): number | null {
  if (experiment.budget !== undefined) return null;
  const { rounds } = workloadOf(experiment, 1);
  return searchesMasks(experiment.method.name) ? experiment.evolution.generations : rounds;
}

/** What `evolution.firstEpochs` saves of the epochs of all retrainings. Survivors measured anew are left out. */
function savedByGrowth(experiment: Experiment): number {
  if (!searchesMasks(experiment.method.name)) return 0;
  const { populationSize, generations } = experiment.evolution;
  const saved = Array.from(
    { length: generations + 1 },
    (_, t) => retrainingOf(experiment).epochs - retrainingEpochs(experiment, t),
  );
  return populationSize * saved.reduce((sum, epochs) => sum + epochs, 0);
}

/** Means over a generation of which all are new: with successive halving few go to their end. */
function halved({ evolution }: Experiment, whole: number): { epochsOfOne: number; jobsOfOne: number } {
  const { populationSize: m, successiveHalving } = evolution;
  if (!successiveHalving) return { epochsOfOne: whole, jobsOfOne: 1 };
  const { firstEpochs, eta } = successiveHalving;
  const costs = halvingCosts(m, { rungs: rungsOf(firstEpochs, eta, whole), eta });
  return {
    epochsOfOne: costs.reduce((sum, { count, length }) => sum + count * length, 0) / m,
    jobsOfOne: costs.reduce((sum, { count }) => sum + count, 0) / m,
  };
}

function plan(experiment: Experiment) {
  const { retrain, evolution, method } = experiment;
  const { populationSize: m, generations: T } = evolution;
  /** There where the method goes by it: the schema says so. */
  const whole = retrain?.epochs ?? 1;
  const { epochsOfOne, jobsOfOne } = halved(experiment, whole);
  switch (method.name) {
    case 'ne-sgd': {
      const again = evolution.reevaluateSurvivors ? m * Math.max(0, T - 1) : 0;
      return { atOnce: m, epochsOfOne, jobsOfOne, evaluations: m * (T + 1) + again, offspring: 0 };
    }
    case 'random-masks':
      return { atOnce: m, epochsOfOne, jobsOfOne, evaluations: m * (T + 1), offspring: 0 };
    case 'sgd':
      return {
        atOnce: m,
        epochsOfOne: method.sgd.epochs ?? alphaTrainingOf(experiment).epochs,
        evaluations: method.sgd.repeats,
        offspring: 0,
      };
    case 'sgd-restarts':
      return { atOnce: m, epochsOfOne: whole, evaluations: method.sgdRestarts.repeats, offspring: 0 };
    case 'esgd': {
      const { populationSize, generations, epochs, offspring } = method.esgd;
      return { atOnce: populationSize, epochsOfOne: epochs, evaluations: populationSize * generations, offspring };
    }
    case 'pbt': {
      const { populationSize, steps, epochs } = method.pbt;
      return { atOnce: populationSize, epochsOfOne: epochs, evaluations: populationSize * steps, offspring: 0 };
    }
  }
}
