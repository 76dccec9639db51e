import type { MethodName } from '@nesgd/core/methods';
import type { MeasuredIndividual, RunDigest } from './run-digest.js';

/**
 * Keys of a run's experiment that make its method another one than the paper's: a cheaper NE-SGD, averages of weights, a
 * budget that ends things early. The paper's tables are to hold numbers of what the paper did.
 */
function notThePapers({ method, opened }: RunDigest): string[] {
  const { retrain, evolution, budget } = opened.experiment;
  const { inherit, firstEpochs, stopBelowMedian, successiveHalving, steadyStateLag } = evolution;
  const ofMasks = {
    'retrain.averageLast': retrain?.averageLast !== undefined,
    'evolution.inherit': inherit !== 'none',
    'evolution.firstEpochs': firstEpochs !== undefined,
    'evolution.stopBelowMedian': stopBelowMedian.length > 0,
    'evolution.successiveHalving': successiveHalving !== undefined,
    'evolution.steadyStateLag': steadyStateLag !== undefined,
  };
  const keys = {
    budget: budget !== undefined,
    ...(method !== 'esgd' && { 'alpha.averageLast': hasAveragedAlpha(opened) }),
    ...(method === 'ne-sgd' && ofMasks),
  };
  return Object.entries(keys).flatMap(([key, set]) => (set ? [key] : []));
}

const hasAveragedAlpha = ({ experiment: { alpha } }: RunDigest['opened']): boolean =>
  'averageLast' in alpha && alpha.averageLast !== undefined;

/** A note for a table that lacks runs of these methods for what they set. */
export function leftOut(runs: readonly RunDigest[], methods: readonly MethodName[]): string[] {
  const texts = runs
    .filter(({ method }) => methods.includes(method))
    .map((run) => ({ run, keys: notThePapers(run) }))
    .filter(({ keys }) => keys.length > 0)
    .map(({ run, keys }) => `${run.runId} (${keys.join(', ')})`);
  return texts.length === 0
    ? []
    : [
        `Left out (but for an alpha trained plainly), as their settings are not of the paper’s method: ${texts.join('; ')}.`,
      ];
}

export const hasSuppression = ({ opened }: RunDigest): boolean => opened.experiment.evolution.suppression;

/** The paper's, with Algorithm 2 or without. */
export const isEvolution = (run: RunDigest): boolean => run.method === 'ne-sgd' && notThePapers(run).length === 0;

/** Without suppression it is another method, that of Table V. */
export const isNeSgd = (run: RunDigest): boolean => isEvolution(run) && hasSuppression(run);

export const isEsgd = (run: RunDigest): boolean => run.method === 'esgd' && notThePapers(run).length === 0;

/** The test accuracy of the network that a run ended with. */
export const best = ({ test }: RunDigest): number[] => (test.best === undefined ? [] : [test.best]);

/** What a method without masks trained; one that was given up has no curve. */
export const trainingsOf = ({ individuals }: RunDigest): MeasuredIndividual[] =>
  individuals.filter(({ curve }) => curve.length > 0);

const repeatsSgd = (run: RunDigest): boolean => run.method === 'sgd' && notThePapers(run).length === 0;

/** Test accuracies of networks by SGD alone: each alpha's, once where runs share it, and those of method `sgd`. */
export function bySgd(runs: readonly RunDigest[]): number[] {
  const alphas = new Map(
    runs.flatMap(({ alpha, test, opened }) => {
      return alpha && test.alpha !== undefined && !hasAveragedAlpha(opened) ? [[alpha.weights, test.alpha]] : [];
    }),
  );
  return [...alphas.values(), ...runs.filter(repeatsSgd).flatMap(testedTrainings)];
}

/** Of several trainings with held-out fitness the test set met one, which was chosen: no measure of SGD. */
function testedTrainings(run: RunDigest): number[] {
  const trainings = trainingsOf(run);
  if (run.opened.experiment.fitness === 'test') return trainings.map(({ accuracy }) => accuracy);
  return trainings.length === 1 ? best(run) : [];
}

/** Validation accuracies of repeated trainings: how far the seed moves them can be seen in those, too. */
export function validatedTrainings(runs: readonly RunDigest[]): number[] {
  const of = runs.filter((run) => repeatsSgd(run) && run.opened.experiment.fitness === 'validation');
  return of.flatMap((run) => trainingsOf(run).map(({ accuracy }) => accuracy));
}
