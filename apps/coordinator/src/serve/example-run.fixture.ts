import { createRun, type EvaluatedFact, JOURNAL_VERSION, parseExperiment, type RunFolder } from '@nesgd/core/run';

/** A run of two blocks with its opening fact, held by this process. */
export function newRun(runs: string, runId: string): Promise<RunFolder> {
  const experiment = parseExperiment(
    {
      name: 'example',
      seed: 1,
      dataset: { name: 'mnist' },
      model: { name: 'resnet8' },
      alpha: { epochs: 1, learningRate: 0.1 },
      retrain: { epochs: 1, learningRateRetained: 0.01, learningRateReinitialised: 0.1 },
      evolution: { populationSize: 2, generations: 1 },
    },
    'the test',
  );
  return createRun(runs, {
    type: 'opened',
    version: JOURNAL_VERSION,
    runId,
    experiment,
    runtime: { engine: 'wasm', threads: 1 },
    data: {
      dataset: 'a'.repeat(64),
      trainImages: null,
      testImages: null,
      validationFraction: 0.1,
      augmentation: { padCrop: 0, horizontalFlip: false },
    },
    imageShape: [28, 28, 1],
    classNames: ['0', '1'],
    blocks: [
      { name: 'stem', parameters: 1 },
      { name: 'head', parameters: 1 },
    ],
  });
}

export function evaluated(mask: string, accuracy: number): EvaluatedFact {
  return { type: 'evaluated', mask, repeat: 0, accuracy, curve: [], weights: null, imagesTrained: 1 };
}
