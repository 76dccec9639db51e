import type { EvaluateJob } from '@nesgd/core/protocol';
import { type Experiment, type Journal, type OpenedFact, retrainingOf } from '@nesgd/core/run';
import { quantile } from '../report/statistics.js';

/**
 * Epochs of one retraining in generation t: all of them, or from `evolution.firstEpochs` in generation 0 to
 * `retrain.epochs` in the last generation T, in equal steps (rounded); as many in whatever a budget adds after T.
 */
export function retrainingEpochs(experiment: Experiment, t: number): number {
  const { firstEpochs, generations } = experiment.evolution;
  const { epochs } = retrainingOf(experiment);
  if (firstEpochs === undefined || t >= generations) return epochs;
  return Math.round(firstEpochs + ((epochs - firstEpochs) * t) / generations);
}

/**
 * The median stopping rule (Golovin et al. 2017, "Google Vizier: A Service for Black-Box Optimization"): a retraining is
 * ended at one of the rungs where its accuracy is below the median of all individuals that came as far. There the median is of
 * whoever is ahead; here of closed generations, so that the rule is part of the job and does not depend on the workers.
 * Generation 0 goes to its end.
 * @returns nothing where there is nothing to hold a retraining against.
 */
export function stopRule(run: {
  readonly opened: OpenedFact;
  readonly journal: Pick<Journal, 'lines'>;
}): Pick<EvaluateJob, 'stopBelow'> {
  const { experiment } = run.opened;
  const { stopBelowMedian } = experiment.evolution;
  if (stopBelowMedian.length === 0) return {};
  const { epochs } = retrainingOf(experiment);
  const { lines } = run.journal;
  const closed = lines.slice(0, lines.findLastIndex(({ fact }) => fact.type === 'generation') + 1);
  const curves = closed.flatMap(({ fact }) => (fact.type === 'evaluated' ? [fact.curve] : []));
  const rungs = new Set(stopBelowMedian.map((part) => Math.ceil(part * epochs)));
  const stopBelow = [...rungs].flatMap((epoch) => {
    const accuracies = curves.flatMap((curve) => curve[epoch - 1]?.accuracy ?? []);
    return accuracies.length > 0 && epoch < epochs ? [{ epoch, accuracy: quantile(accuracies, 0.5) }] : [];
  });
  return stopBelow.length > 0 ? { stopBelow } : {};
}
