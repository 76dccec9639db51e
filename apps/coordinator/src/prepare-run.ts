import { readFile } from 'node:fs/promises';
import { checkCheckpoint } from '@nesgd/core/checkpoint';
import { checkBatchSize, knownDataset, type PreparedDataset, prepareDataset } from '@nesgd/core/datasets';
import { InputError } from '@nesgd/core/errors';
import { usesAlpha } from '@nesgd/core/methods';
import { blockNames } from '@nesgd/core/models';
import type { Runtime } from '@nesgd/core/protocol';
import { type Experiment, JOURNAL_VERSION, type OpenedFact } from '@nesgd/core/run';
import type { CacheFolder } from '@nesgd/core/storage';
import type { Watch } from './run-events.js';
import { workloadOf } from './workload.js';

export interface Prepared {
  readonly opened: OpenedFact;
  readonly counts: { readonly train: number; readonly validation: number; readonly test: number };
}

/**
 * Everything that can be wrong is looked at here, before a run exists: data, model, an alpha from elsewhere.
 * @param options.hasAlpha the run has its alpha already: where that came from is not looked at again.
 * @throws InputError
 */
export async function prepareRun(
  experiment: Experiment,
  options: {
    runId: string;
    runtime: Runtime;
    cache: CacheFolder;
    watch: Watch;
    signal: AbortSignal;
    hasAlpha?: boolean;
  },
): Promise<Prepared> {
  const { runId, runtime, cache, watch, signal } = options;
  const checkAlpha = options.hasAlpha ? () => {} : await alphaCheck(experiment);
  const known = knownDataset(experiment.dataset.name);
  if (known) checkAlpha(known); // Sooner than reading the data, which may take a minute.

  const what = `reading data set ${experiment.dataset.name}`;
  watch({ type: 'preparing', what });
  const data = await prepareDataset(experiment.dataset, cache.datasets, {
    onProgress: ({ done, total }) => watch({ type: 'preparing', what, ...(total && { fraction: done / total }) }),
    signal,
  });
  checkAlpha(data);
  checkCosts(experiment, data.counts.train);
  return {
    opened: {
      type: 'opened',
      version: JOURNAL_VERSION,
      runId,
      experiment,
      runtime,
      data: data.split,
      imageShape: [...data.imageShape],
      classNames: [...data.classNames],
      normalisation: data.normalisation,
      blocks: blockNames(experiment.model, data.imageShape, data.classNames.length).map(({ name, parameters }) => ({
        name,
        parameters,
      })),
    },
    counts: data.counts,
  };
}

/** Reads the file that `alpha.from` names, where it names one. @returns holds it against the images it is for. */
async function alphaCheck({ alpha, model }: Experiment) {
  if (!('from' in alpha)) return () => {};
  const path = alpha.from;
  const bytes = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    throw new InputError('ALPHA_FILE', `alpha.from: cannot read ${path}: ${cause.message}`, false, { cause });
  });
  return ({ imageShape, classNames }: Pick<PreparedDataset, 'imageShape' | 'classNames'>) =>
    checkCheckpoint(bytes, { model, imageShape, classes: classNames.length, source: `alpha.from: ${path}` });
}

/** What can be said once the number of training images is known. @throws InputError */
export function checkCosts(experiment: Experiment, trainImages: number): void {
  checkBatchSizes(experiment, trainImages);
  checkBudget(experiment, trainImages);
}

function checkBatchSizes({ alpha, retrain, method }: Experiment, trainImages: number): void {
  if ('batchSize' in alpha) checkBatchSize(alpha.batchSize, trainImages, 'alpha.batchSize');
  if (retrain && usesAlpha(method.name)) checkBatchSize(retrain.batchSize, trainImages, 'retrain.batchSize');
}

/** One network, trained for an epoch, is the least that has a result. */
function checkBudget(experiment: Experiment, trainImages: number): void {
  const { budget } = experiment;
  if (budget === undefined) return;
  const { alphaEpochs } = workloadOf(experiment, trainImages);
  const least = (alphaEpochs + 1) * trainImages;
  if (budget >= least) return;
  const alphaToo = alphaEpochs > 0 ? ` beside alpha's ${alphaEpochs}` : '';
  throw new InputError(
    'BUDGET_TOO_SMALL',
    `budget is ${budget} images, but one epoch of training${alphaToo} takes ${least}: give at least as many`,
  );
}
