import { InputError } from '../errors.js';
import type { DataSplit } from '../protocol/jobs.js';

type Sizes = Pick<DataSplit, 'trainImages' | 'testImages' | 'validationFraction'>;

/** Images that each class gives to each part, by label. */
export interface PartitionSizes {
  readonly train: readonly number[];
  readonly validation: readonly number[];
  readonly test: readonly number[];
}

export interface ClassCounts {
  readonly train: readonly number[];
  readonly test: readonly number[];
}

/**
 * How many images of each class train, validate and test. Every class keeps its share, and the totals are exact:
 * `trainImages` for training and validation together, of which round(`trainImages` x `validationFraction`) validate.
 * @throws InputError `DATASET_SPLIT` with the figures, where there are not enough.
 */
export function partitionSizes(available: ClassCounts, split: Sizes, classNames: readonly string[]): PartitionSizes {
  const pool = subset('trainImages', split.trainImages, available.train, 'training');
  const test = subset('testImages', split.testImages, available.test, 'test');
  const used = sum(pool);
  const validating = Math.round(used * split.validationFraction);
  if (split.validationFraction > 0 && validating === 0) {
    throw refusal(
      'validationFraction',
      `${split.validationFraction} of ${used} images is none; raise it, or give 0 for no validation`,
    );
  }
  const validation = apportion(pool, validating);
  const train = pool.map((n, label) => n - validation[label]!);
  const without = train.indexOf(0);
  if (without >= 0) {
    throw refusal(
      'trainImages',
      `class ${classNames[without]} would have no image to train on: it gives ${pool[without]} of ${used} images, of which ${validation[without]} validate; raise trainImages or lower validationFraction`,
    );
  }
  return { train, validation, test };
}

function subset(key: string, asked: number | null, available: readonly number[], what: string): readonly number[] {
  if (asked === null) return available;
  const total = sum(available);
  if (asked > total) throw refusal(key, `asks for ${asked} images, but the data set has ${total} ${what} images`);
  return apportion(available, asked);
}

function refusal(key: string, fault: string): InputError {
  return new InputError('DATASET_SPLIT', `dataset.${key}: ${fault}`);
}

/**
 * Shares `total` among classes in proportion to `weights`: each gets its quota rounded down, and what is left goes to the
 * largest remainders (the lower label on a tie). No class gets more than its weight as long as `total` is at most their sum.
 */
export function apportion(weights: readonly number[], total: number): number[] {
  const all = sum(weights);
  // Remainders as integers (total * weight mod all): no rounding decides a tie.
  const shares = weights.map((weight) => Math.floor((total * weight) / all));
  const remainders = weights.map((weight, label) => ({ label, remainder: (total * weight) % all }));
  remainders.sort((a, b) => b.remainder - a.remainder || a.label - b.label);
  const left = total - sum(shares);
  for (const { label } of remainders.slice(0, left)) shares[label]!++;
  return shares;
}

function sum(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0);
}
