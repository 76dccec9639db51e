import {
  type BatchSource,
  batchSource,
  type Dataset,
  type EpochAugmentation,
  fillBatch,
  type ImageShape,
  openDataset,
  type Partition,
  partition,
} from '../datasets/index.js';
import { InputError } from '../errors.js';
import type { DataSplit, Job } from '../protocol/index.js';
import type { Meaning } from './checkpoint.js';

export type SplitName = Job['measureOn'];

/** The images of one job's split. */
export interface TrainingData {
  readonly imageShape: ImageShape;
  readonly classes: number;
  readonly meaning: Meaning;
  readonly augmentation: DataSplit['augmentation'];
  readonly train: BatchSource;
  readonly test: BatchSource;
  readonly partition: Partition;
  /** Images cannot be read afterwards. */
  close(): void;
}

/** @throws NesgdError where the cache folder lacks the data set, InputError where the split asks for too much. */
export async function openTrainingData(split: DataSplit, seed: number, datasetsFolder: string): Promise<TrainingData> {
  const dataset = await openDataset(split.dataset, datasetsFolder);
  const parts = partitionOrClose(dataset, split, seed);
  return {
    imageShape: dataset.imageShape,
    classes: dataset.classNames.length,
    meaning: {
      classNames: dataset.classNames,
      normalisation: { mean: dataset.mean, std: dataset.std },
    },
    augmentation: split.augmentation,
    train: batchSource(dataset, 'train'),
    test: batchSource(dataset, 'test'),
    partition: parts,
    close: dataset.close,
  };
}

function partitionOrClose(dataset: Dataset, split: DataSplit, seed: number): Partition {
  try {
    return partition(dataset, split, seed);
  } catch (error) {
    dataset.close();
    throw error;
  }
}

/** @throws InputError where there is nothing to measure on. */
export function imagesOf(data: TrainingData, split: SplitName): { source: BatchSource; indices: Int32Array } {
  const indices = data.partition[split];
  if (indices.length === 0) {
    throw new InputError(
      'EMPTY_SPLIT',
      `there are no ${split} images to measure on: raise dataset.validationFraction, or measure fitness on test`,
    );
  }
  return { source: split === 'test' ? data.test : data.train, indices };
}

/**
 * Normalised images and their labels.
 * @param indices `[N]`: positions in `source`.
 * @returns fresh arrays: `pixels` `[N, H, W, C]`, `labels` `[N]`.
 */
export function batchOf(
  source: BatchSource,
  indices: Int32Array,
  augmentation?: EpochAugmentation,
): { pixels: Float32Array; labels: Int32Array } {
  const pixels = new Float32Array(indices.length * source.imageShape.reduce((a, b) => a * b));
  const labels = new Int32Array(indices.length);
  fillBatch(pixels, labels, source, indices, augmentation);
  return { pixels, labels };
}
