import { searchesMasks, usesAlpha } from '@nesgd/core/methods';
import { plural } from '../display/format.js';
import type { RunDigest } from './run-digest.js';
import { trainingsOf } from './what-counts.js';

/** How the measured runs differ from the paper's experiments: their numbers cannot be compared without it. */
export function measuredBy(runs: readonly RunDigest[]): string[] {
  return runs.map((run) => {
    const { experiment, data } = run.opened;
    const { dataset, model, fitness } = experiment;
    const images = data.trainImages === null ? 'all training images' : `${data.trainImages} training images`;
    return [
      `${run.runId}: ${run.method}`,
      `${model.name} on ${dataset.name}`,
      images,
      ...howTrained(run),
      `fitness on ${fitness}.`,
    ].join(', ');
  });
}

function howTrained(run: RunDigest): string[] {
  const { alpha, retrain, evolution } = run.opened.experiment;
  const epochs = 'from' in alpha ? 'from a file' : plural(run.alpha?.curve.length ?? 0, 'epoch');
  const begun = usesAlpha(run.method) ? [`alpha ${epochs}`] : [];
  if (!searchesMasks(run.method)) return [...begun, trainingsText(run)];
  return [
    ...begun,
    ...(retrain ? [`retraining ${retrain.epochs}`] : []),
    `${evolution.generations} generations of ${evolution.populationSize}`,
  ];
}

/** `4 trainings of 8 epochs`; a budget may have cut some, and rivals train in pieces. */
function trainingsText(run: RunDigest): string {
  const lengths = trainingsOf(run).map(({ curve }) => curve.length);
  const trainings = plural(lengths.length, 'training');
  if (lengths.length === 0) return trainings;
  const [shortest, longest] = [Math.min(...lengths), Math.max(...lengths)];
  return `${trainings} of ${shortest === longest ? '' : `${shortest} to `}${plural(longest, 'epoch')}`;
}
