import {
  esgd,
  type Hyperparameters,
  type PbtParams,
  type Perform,
  pbt,
  type Step,
  sgd,
  sgdRestarts,
} from '@nesgd/core/baselines';
import type { AlphaTraining } from '@nesgd/core/protocol';
import type { AlphaFact, Experiment } from '@nesgd/core/run';
import { workloadOf } from '../workload.js';

/** A method as an experiment sets it, with the settings that its requests leave open and the rounds that it takes. */
export interface RivalPlan {
  readonly settings: AlphaTraining;
  readonly rounds: number;
  readonly requestsARound?: number;
  readonly method: (perform: Perform) => AsyncGenerator<Step, void>;
}

interface Planned {
  readonly experiment: Experiment;
  readonly rounds: number;
  /** A budget alone ends the method: a training that diverges costs less than was thought. */
  readonly most: (set: number) => number;
}

/** @param epochImages training images of one epoch: what a budget is divided by. */
export function rivalPlan(experiment: Experiment, alpha: AlphaFact | null, epochImages: number): RivalPlan {
  const { rounds } = workloadOf(experiment, epochImages);
  const most = (set: number) => (experiment.budget === undefined ? set : Number.MAX_SAFE_INTEGER);
  const planned = { experiment, rounds, most };
  switch (experiment.method.name) {
    case 'sgd':
      return sgdPlan(planned);
    case 'sgd-restarts':
      return restartsPlan(planned, alpha);
    case 'esgd':
      return esgdPlan(planned);
    case 'pbt':
      return pbtPlan(planned);
    default:
      throw new Error(`${experiment.method.name} is no method that trains whole networks`);
  }
}

function sgdPlan({ experiment, rounds, most }: Planned): RivalPlan {
  const { evolution, method } = experiment;
  const settings = alphaSettings(experiment);
  const repeats = most(method.sgd.repeats);
  const epochs = method.sgd.epochs ?? settings.epochs;
  const { sameStart } = method.sgd;
  const hyperparameters = hyperparametersOf(settings);
  const params = { repeats, epochs, hyperparameters, atOnce: evolution.populationSize, sameStart };
  return { settings, rounds, method: (perform) => sgd(params, perform) };
}

function restartsPlan({ experiment, rounds, most }: Planned, alpha: AlphaFact | null): RivalPlan {
  const { evolution, method, retrain } = experiment;
  if (!alpha || !retrain) throw lacking('alpha, and settings to retrain it');
  const { learningRateRetained: _, learningRateReinitialised, ...optimisation } = retrain;
  const learningRate = method.sgdRestarts.learningRate ?? learningRateReinitialised;
  if (learningRate === undefined) throw lacking('a learning rate');
  const settings = { ...optimisation, learningRate };
  const params = {
    alpha: alpha.weights,
    repeats: most(method.sgdRestarts.repeats),
    epochs: settings.epochs,
    hyperparameters: hyperparametersOf(settings),
    atOnce: evolution.populationSize,
  };
  return { settings, rounds, method: (perform) => sgdRestarts(params, perform) };
}

function esgdPlan({ experiment, rounds, most }: Planned): RivalPlan {
  const { seed, method } = experiment;
  const { momenta, ...params } = method.esgd;
  const settings = alphaSettings(experiment);
  const generations = most(params.generations);
  const species = momenta.map((momentum) => ({ ...hyperparametersOf(settings), momentum }));
  return {
    settings,
    rounds,
    requestsARound: 2, // An SGD step and an evolution step.
    method: (perform) => esgd({ ...params, seed, generations, species }, perform),
  };
}

function pbtPlan({ experiment, rounds, most }: Planned): RivalPlan {
  const { seed, method } = experiment;
  const { smallestFactor, largestFactor, perturbDown, perturbUp, ...set } = method.pbt;
  const settings = alphaSettings(experiment);
  const { learningRate, weightDecay, momentum } = hyperparametersOf(settings);
  const range = (of: number) => ({ from: smallestFactor * of, to: largestFactor * of });
  const params: PbtParams = {
    ...set,
    seed,
    steps: most(set.steps),
    perturbation: [perturbDown, perturbUp],
    learningRate: range(learningRate),
    weightDecay: range(weightDecay),
    momentum,
  };
  return { settings, rounds, method: (perform) => pbt(params, perform) };
}

/** Every request says its epochs. */
function alphaSettings({ alpha }: Experiment): AlphaTraining {
  if ('from' in alpha) throw lacking('settings for alpha');
  return { ...alpha, epochs: alpha.epochs ?? 1 };
}

function lacking(what: string): Error {
  return new Error(`an experiment of this method has ${what}: its schema says so`);
}

function hyperparametersOf({ learningRate, momentum, weightDecay }: AlphaTraining): Hyperparameters {
  return { learningRate, momentum, weightDecay };
}
