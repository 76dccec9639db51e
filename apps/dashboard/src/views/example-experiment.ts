/** A run of a minute on images that come with nesgd; what is not said has a default. */
export const EXAMPLE = `# Every key: docs/experiments.md. This takes about a minute on two cores.
name: example
seed: 1
dataset: { name: mnist, trainImages: 2000, validationFraction: 0.2 }
model: { name: resnet8 }
alpha: { epochs: 2, learningRate: 0.1, batchSize: 32 }
retrain:
  epochs: 1
  learningRateRetained: 0.01
  learningRateReinitialised: 0.1
  batchSize: 32
evolution:
  populationSize: 4
  generations: 2
  initialRetainProbability: 0.7
`;
