import { type Experiment, JOURNAL_VERSION, type OpenedFact, parseExperiment } from '@nesgd/core/run';

export interface Simulation {
  readonly seed: number;
  readonly populationSize: number;
  readonly generations: number;
  /** Bits of a genome. */
  readonly blocks: number;
}

/** The opening of a run whose jobs name no data: simulated trainers look at nothing but genome and seed. */
export function simulatedRun({ seed, populationSize, generations, blocks }: Simulation): OpenedFact {
  const experiment: Experiment = parseExperiment(
    {
      name: 'simulation',
      seed,
      dataset: { name: 'mnist', validationFraction: 0.1 },
      model: { name: 'resnet8' },
      alpha: { epochs: 1, learningRate: 0.1 },
      retrain: { epochs: 1, learningRateRetained: 0.01, learningRateReinitialised: 0.1 },
      evolution: { populationSize, generations },
    },
    'simulation',
  );
  return {
    type: 'opened',
    version: JOURNAL_VERSION,
    runId: `simulation-${seed}`,
    experiment,
    runtime: { engine: 'wasm', threads: 1 },
    data: {
      dataset: '0'.repeat(64),
      trainImages: null,
      testImages: null,
      validationFraction: 0.1,
      augmentation: { padCrop: 0, horizontalFlip: false },
    },
    imageShape: [28, 28, 1],
    classNames: ['0', '1'],
    blocks: Array.from({ length: blocks }, (_, i) => ({ name: `block ${i}`, parameters: 1 })),
  };
}
