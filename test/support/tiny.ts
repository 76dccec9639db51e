/** An experiment on real digits that takes seconds: what a test of the whole needs, and nothing more. */
export function tinyExperiment(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    name: 'tiny',
    seed: 7,
    dataset: { name: 'mnist', trainImages: 600, testImages: 200, validationFraction: 0.2 },
    model: { name: 'resnet8', granularity: 'block' },
    alpha: { epochs: 3, learningRate: 0.1, batchSize: 16 },
    retrain: { epochs: 1, learningRateRetained: 0.02, learningRateReinitialised: 0.1, batchSize: 32 },
    evolution: { populationSize: 4, generations: 2 },
    ...changes,
  };
}
