import type { OpenedFact } from './facts.js';
import { parseExperiment } from './parse-experiment.js';

/** A small valid experiment as it would come out of a YAML file; tests change what they are about. */
export function exampleExperiment(): Record<string, unknown> {
  return {
    name: 'example',
    seed: 1,
    dataset: { name: 'mnist', trainImages: 600, validationFraction: 0.1 },
    model: { name: 'resnet8' },
    alpha: { epochs: 1, learningRate: 0.1 },
    retrain: { epochs: 1, learningRateRetained: 0.01, learningRateReinitialised: 0.1 },
    evolution: { populationSize: 4, generations: 2 },
  };
}

/** The opening of a run of it, or of another experiment. */
export const exampleOpened = (runId: string, experiment = exampleExperiment()): OpenedFact => ({
  type: 'opened',
  version: 1,
  runId,
  experiment: parseExperiment(experiment, 'example'),
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
  blocks: ['stem', 'head'].map((name) => ({ name, parameters: 10 })),
});
