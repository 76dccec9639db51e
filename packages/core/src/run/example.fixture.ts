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
