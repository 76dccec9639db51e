import { esgd, type Hyperparameters, type Member, pbt, type Step, sgd, sgdRestarts } from '@nesgd/core/baselines';
import { InputError, NesgdError } from '@nesgd/core/errors';
import type { AlphaTraining } from '@nesgd/core/protocol';
import type { AlphaFact, RunFolder } from '@nesgd/core/run';
import type { Conduct } from '../conduct-run.js';
import { workloadOf } from '../workload.js';
import type { Found } from './found.js';
import { journalledPerform, trainedFacts } from './perform.js';

/** A method that trains whole networks. Replayed from its beginning, with the journal's answers as far as they go. */
export async function runRival(conduct: Conduct, alpha: AlphaFact | null): Promise<Found> {
  const { run, cache, watch } = conduct;
  const plan = planOf(run, alpha, conduct.trainImages);
  const perform = journalledPerform(conduct, plan);
  const closed = new Set(run.journal.lines.flatMap(({ fact }) => (fact.type === 'step' ? [fact.t] : [])));

  let last: Step | undefined;
  for await (const step of plan.method(perform)) {
    last = step;
    if (closed.has(step.t)) continue;
    await run.journal.append({ type: 'step', ...step });
    await dropOutdone(conduct, step);
    watch({
      type: 'generation-closed',
      t: step.t,
      bestAccuracy: step.best?.accuracy ?? 0,
      bestMask: maskFor(run, alpha),
      nabla: spread(step.population),
      suppressed: 0,
    });
  }
  const best = last?.best;
  if (!last || !best?.weights) throw nothingFound(run, last);
  const weights = best.weights;
  const done = trainedFacts(conduct).size;
  return {
    mask: maskFor(run, alpha),
    accuracy: best.accuracy,
    weights: async () => {
      await run.artifacts.copyTo(cache.blobs, weights);
      return weights;
    },
    closed: last.t,
    evaluations: done,
    done,
  };
}

interface Plan {
  readonly settings: AlphaTraining;
  readonly rounds: number;
  readonly requestsARound?: number;
  readonly method: (perform: ReturnType<typeof journalledPerform>) => AsyncGenerator<Step, void>;
}

function planOf(run: RunFolder, alpha: AlphaFact | null, epochImages: number): Plan {
  const { experiment } = run.opened;
  const { method, seed, retrain } = experiment;
  const budgeted = experiment.budget !== undefined;
  const { rounds } = workloadOf(experiment, epochImages);
  /** A budget alone ends the method: a training that diverges costs less than was thought. */
  const most = (set: number) => (budgeted ? Number.MAX_SAFE_INTEGER : set);
  const atOnce = experiment.evolution.populationSize;

  if (method.name === 'sgd-restarts' && alpha && retrain) {
    const { learningRateRetained: _, learningRateReinitialised, ...optimisation } = retrain;
    const learningRate = method.sgdRestarts.learningRate ?? learningRateReinitialised;
    if (learningRate === undefined)
      throw new Error('an experiment of this method has a learning rate: its schema says so');
    const settings = { ...optimisation, learningRate };
    const { repeats } = method.sgdRestarts;
    const { epochs } = settings;
    const params = { repeats: most(repeats), epochs, hyperparameters: hyperparametersOf(settings), atOnce };
    return {
      settings,
      rounds,
      method: (perform) => sgdRestarts({ ...params, alpha: alpha.weights }, perform),
    };
  }
  if ('from' in experiment.alpha)
    throw new Error('an experiment of this method has settings for alpha: its schema says so');
  /** Every request says its epochs. */
  const settings: AlphaTraining = { ...experiment.alpha, epochs: experiment.alpha.epochs ?? 1 };
  const hyperparameters = hyperparametersOf(settings);
  switch (method.name) {
    case 'sgd': {
      const epochs = method.sgd.epochs ?? settings.epochs;
      const { repeats } = method.sgd;
      return {
        settings,
        rounds,
        method: (perform) => sgd({ repeats: most(repeats), epochs, hyperparameters, atOnce }, perform),
      };
    }
    case 'esgd': {
      const { momenta, ...params } = method.esgd;
      const generations = most(params.generations);
      const species = momenta.map((momentum) => ({ ...hyperparameters, momentum }));
      return {
        settings,
        rounds,
        requestsARound: 2, // An SGD step and an evolution step.
        method: (perform) => esgd({ ...params, seed, generations, species }, perform),
      };
    }
    case 'pbt': {
      const { smallestFactor, largestFactor, perturbDown, perturbUp, ...params } = method.pbt;
      const steps = most(params.steps);
      const range = (of: number) => ({ from: smallestFactor * of, to: largestFactor * of });
      const { learningRate, weightDecay, momentum } = hyperparameters;
      return {
        settings,
        rounds,
        method: (perform) =>
          pbt(
            {
              ...params,
              seed,
              steps,
              perturbation: [perturbDown, perturbUp],
              learningRate: range(learningRate),
              weightDecay: range(weightDecay),
              momentum,
            },
            perform,
          ),
      };
    }
    default:
      throw new Error(`${method.name} is no method that trains whole networks`);
  }
}

function hyperparametersOf({ learningRate, momentum, weightDecay }: AlphaTraining): Hyperparameters {
  return { learningRate, momentum, weightDecay };
}

function maskFor({ opened }: RunFolder, alpha: AlphaFact | null): string {
  return (alpha ? '1' : '0').repeat(opened.blocks.length);
}

function spread(population: readonly Member[]): number {
  const accuracies = population.map(({ accuracy }) => accuracy);
  return accuracies.length === 0 ? 0 : Math.max(...accuracies) - Math.min(...accuracies);
}

/** Keeps the weights that the method goes on with, and its best; the others are not asked for again. */
async function dropOutdone(conduct: Conduct, { population, best }: Step): Promise<void> {
  const { run, cache } = conduct;
  const alive = new Set([...population, best].flatMap((member) => member?.weights ?? []));
  for (const { weights } of trainedFacts(conduct).values()) {
    if (!weights || alive.has(weights)) continue;
    await run.artifacts.delete(weights);
    await cache.blobs.deleteUnlessShared(weights);
  }
}

function nothingFound(run: RunFolder, last: Step | undefined): NesgdError {
  if (last) {
    return new NesgdError(
      'ALL_DIVERGED',
      'the loss of every training stopped being a number, so there is no network to keep: start a new run with a smaller learning rate',
    );
  }
  return new InputError(
    'BUDGET_TOO_SMALL',
    `budget ${run.opened.experiment.budget}: it does not last for one epoch of training after what was spent on alpha: give more`,
  );
}
