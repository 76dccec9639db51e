import { rngAt } from '../evolution/rng.js';
import type { DataSplit } from '../protocol/jobs.js';
import { countByClass, type Dataset, type Labels } from './dataset.js';
import { partitionSizes } from './partition-sizes.js';

/** Which images play which part: ascending positions, `train` and `validation` in `dataset.train`, `test` in `dataset.test`. */
export interface Partition {
  readonly train: Int32Array;
  /** Disjoint from `train`; empty where the validation fraction is 0. */
  readonly validation: Int32Array;
  readonly test: Int32Array;
}

/**
 * Draws the subsets and the validation split, class by class. It depends on the data set, the split and the run's seed,
 * so all individuals of a run meet the same images.
 * @throws InputError `DATASET_SPLIT` where there are not enough images.
 */
export function partition(dataset: Dataset, split: DataSplit, seed: number): Partition {
  const classes = dataset.classNames.length;
  const counts = {
    train: countByClass(dataset.train.labels, classes),
    test: countByClass(dataset.test.labels, classes),
  };
  const sizes = partitionSizes(counts, split, dataset.classNames);

  const trainByClass = shuffledByClass(dataset.train.labels, counts.train, seed, 'train');
  const testByClass = shuffledByClass(dataset.test.labels, counts.test, seed, 'test');
  return {
    validation: gather(trainByClass, (label) => [0, sizes.validation[label]!]),
    train: gather(trainByClass, (label) => [sizes.validation[label]!, sizes.validation[label]! + sizes.train[label]!]),
    test: gather(testByClass, (label) => [0, sizes.test[label]!]),
  };
}

function shuffledByClass(labels: Labels, counts: readonly number[], seed: number, part: string): Int32Array[] {
  const byClass = counts.map((count) => new Int32Array(count));
  const filled = new Int32Array(counts.length);
  for (let i = 0; i < labels.length; i++) {
    const label = labels[i]!;
    byClass[label]![filled[label]!++] = i;
  }
  return byClass.map((images, label) => rngAt(seed, 'partition', part, label).shuffle(images));
}

function gather(byClass: readonly Int32Array[], range: (label: number) => [from: number, to: number]): Int32Array {
  const taken = byClass.flatMap((images, label) => Array.from(images.subarray(...range(label))));
  return Int32Array.from(taken).sort();
}
