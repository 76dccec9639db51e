import { batchSource, type Dataset, type LabelledImages } from '../datasets/index.js';
import { inMemory } from '../datasets/test-support.js';
import { rngAt } from '../evolution/rng.js';
import { initialWeights } from './alpha.js';
import type { ImageShape, ModelSpec } from './models/index.js';
import { resnet } from './models/resnet.js';
import type { OptimisationSettings } from './train.js';
import type { TrainingData } from './training-data.js';
import type { Weights } from './weights.js';

/** Small networks, images and settings for tests. */

/** 3 blocks between stem and head; the second has a projection. */
export function tinySpec(inputShape: ImageShape = [8, 8, 1], classes = 3): ModelSpec {
  return resnet('tiny', { widths: [4, 6], blocks: [2, 1], weightInit: 'kaimingNormal' }, inputShape, classes);
}

export const tinyWeights = (spec: ModelSpec, seed = 1): Weights => initialWeights(spec, [seed, 'test']);

/** Noisy images, each with a bright spot in the third of the rows that its class names. Easy, and not linear in one pixel. */
function spots(count: number, seed: number, [height, width]: readonly [number, number] = [8, 8]): LabelledImages {
  const rng = rngAt(seed, 'spots');
  const images = new Uint8Array(count * height * width);
  const labels = Uint8Array.from({ length: count }, (_, n) => n % 3);
  for (const [n, label] of labels.entries()) {
    const at = n * height * width;
    for (let i = 0; i < height * width; i++) images[at + i] = rng.below(80);
    const row = Math.floor((label * height) / 3) + rng.below(Math.floor(height / 3));
    images[at + row * width + rng.below(width)] = 255;
  }
  return { images: inMemory(images, height * width), labels, count };
}

export function spotsDataset(trainCount: number, testCount: number): Dataset {
  return {
    name: 'spots',
    imageShape: [8, 8, 1],
    classNames: ['top', 'middle', 'bottom'],
    mean: [0.16],
    std: [0.14],
    train: spots(trainCount, 1),
    test: spots(testCount, 2),
    close: () => {},
  };
}

/** The last `validationCount` training images validate. */
export function spotsData(trainCount: number, validationCount: number, testCount = 30): TrainingData {
  const dataset = spotsDataset(trainCount + validationCount, testCount);
  const range = (from: number, to: number) => Int32Array.from({ length: to - from }, (_, i) => from + i);
  return {
    imageShape: dataset.imageShape,
    classes: dataset.classNames.length,
    meaning: { classNames: dataset.classNames, normalisation: { mean: dataset.mean, std: dataset.std } },
    augmentation: { padCrop: 0, horizontalFlip: false },
    train: batchSource(dataset, 'train'),
    test: batchSource(dataset, 'test'),
    partition: {
      train: range(0, trainCount),
      validation: range(trainCount, trainCount + validationCount),
      test: range(0, testCount),
    },
    close: dataset.close,
  };
}

export const SETTINGS: OptimisationSettings = {
  epochs: 1,
  schedule: 'cosine',
  milestones: [0.5, 0.75],
  gamma: 0.1,
  batchSize: 32,
  momentum: 0.9,
  weightDecay: 5e-4,
  weights: 'last',
};
