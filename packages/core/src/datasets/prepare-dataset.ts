import { InputError } from '../errors.js';
import type { DataSplit } from '../protocol/jobs.js';
import type { Normalisation } from '../protocol/training-settings.js';
import { countByClass, type ImageShape } from './dataset.js';
import { checkKnownFacts, knownDataset } from './known-datasets.js';
import { sourcePath } from './originals/original-files.js';
import { packDataset } from './pack.js';
import { readPackedHeader } from './packed-file.js';
import { countOf, PACKED_VERSION, type PackedHeader } from './packed-header.js';
import { partitionSizes } from './partition-sizes.js';
import { recallSource, rememberSource, sourceKey } from './source-index.js';
import { type FileTree, openTree } from './sources/file-tree.js';
import type { RawDataset, ReadProgress } from './sources/raw-dataset.js';
import { readSource } from './sources/read-source.js';
import type { DatasetSpec } from './spec.js';

/** Labels have two bytes. */
const MOST_CLASSES = 2 ** 16;

export interface PrepareOptions {
  /** While a source is read for the first time; never called for one that is packed already. */
  readonly onProgress?: (progress: ReadProgress) => void;
  readonly signal?: AbortSignal;
}

export interface PreparedDataset {
  /** SHA-256 of the packed file. */
  readonly hash: string;
  readonly name: string;
  readonly imageShape: ImageShape;
  readonly classNames: readonly string[];
  readonly normalisation: Normalisation;
  /** All images there are, whatever the experiment takes of them. */
  readonly trainCount: number;
  readonly testCount: number;
  /** Images that the experiment takes. */
  readonly counts: { readonly train: number; readonly validation: number; readonly test: number };
  /** For job payloads. */
  readonly split: DataSplit;
}

/**
 * Makes a data set ready: reads its source, packs it under `<datasetsFolder>/<hash>/`, and checks that the experiment's
 * subsets can be had. A source that was packed before and has not changed (by path, size and times of its files) is
 * not read again; where its packed file is gone or visibly damaged it is.
 * @throws InputError for anything wrong with path, files or figures; nothing half-written is left.
 */
export async function prepareDataset(
  spec: DatasetSpec,
  datasetsFolder: string,
  options: PrepareOptions = {},
): Promise<PreparedDataset> {
  const tree = await openTree(await sourcePath(spec, datasetsFolder), spec.testFraction !== undefined);
  const { hash, header } = await packOnce(spec, tree, datasetsFolder, options);

  const [height, width] = header.imageShape;
  if (spec.augmentation.padCrop >= Math.min(height, width)) {
    throw new InputError(
      'DATASET_SPEC',
      `dataset.augmentation.padCrop: is ${spec.augmentation.padCrop}, but the images are ${height}x${width}: a crop could miss them; give less than their side`,
    );
  }
  if ((spec.augmentation.cutout ?? 0) > Math.min(height, width)) {
    throw new InputError(
      'DATASET_SPEC',
      `dataset.augmentation.cutout: is ${spec.augmentation.cutout}, but the images are ${height}x${width}: little would be left of them; give at most their side`,
    );
  }
  const split: DataSplit = {
    dataset: hash,
    trainImages: spec.trainImages ?? null,
    testImages: spec.testImages ?? null,
    validationFraction: spec.validationFraction,
    augmentation: spec.augmentation,
  };
  const sizes = partitionSizes(header.classCounts, split, header.classNames);
  const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
  return {
    hash,
    name: header.name,
    imageShape: header.imageShape,
    classNames: header.classNames,
    normalisation: { mean: [...header.mean], std: [...header.std] },
    trainCount: countOf(header, 'train'),
    testCount: countOf(header, 'test'),
    counts: { train: sum(sizes.train), validation: sum(sizes.validation), test: sum(sizes.test) },
    split,
  };
}

async function packOnce(
  spec: DatasetSpec,
  tree: FileTree,
  datasetsFolder: string,
  { onProgress, signal }: PrepareOptions,
): Promise<{ hash: string; header: PackedHeader }> {
  const keyNow = async () =>
    sourceKey([PACKED_VERSION, spec.name, spec.imageSize ?? null, spec.testFraction ?? null, await tree.identity()]);
  const key = await keyNow();
  const remembered = await recallSource(datasetsFolder, key);
  if (remembered !== undefined) {
    const header = await readPackedHeader(datasetsFolder, remembered).catch(() => undefined);
    if (header) return { hash: remembered, header };
  }
  const { classNames } = knownDataset(spec.name) ?? {};
  const raw = await readSource(tree, {
    name: spec.name,
    classNames,
    imageSize: spec.imageSize,
    testFraction: spec.testFraction,
    onProgress,
    signal,
  });
  checkKnownFacts(spec.name, raw, tree.path);
  checkClasses(raw, tree.path);
  if ((await keyNow()) !== key) {
    throw new InputError(
      'DATASET_CHANGED',
      `${tree.path}: its files changed while they were read; start again when they are complete`,
    );
  }
  const packed = await packDataset(spec.name, raw, datasetsFolder, signal);
  await rememberSource(datasetsFolder, key, tree.path, packed.hash);
  return packed;
}

function checkClasses({ classNames, train }: RawDataset, path: string): void {
  const classes = classNames.length;
  if (classes < 2 || classes > MOST_CLASSES) {
    throw new InputError('DATASET_CLASSES', `${path}: has ${classes} classes; wants 2 to ${MOST_CLASSES}`);
  }
  const empty = countByClass(train.labels, classes).indexOf(0);
  if (empty >= 0) {
    throw new InputError(
      'DATASET_CLASSES',
      `${path}: class ${empty} (${classNames[empty]}) has no training images; every label from 0 to ${classes - 1} needs some`,
    );
  }
}
