import { InputError } from '../../errors.js';
import { type ImageShape, makeLabels } from '../dataset.js';
import { KNOWN_DATASETS } from '../known-datasets.js';
import type { FileTree } from './file-tree.js';
import type { RawImages, ReadOptions, SourceFormat } from './raw-dataset.js';

/** CIFAR-10 as its authors give it: a record is the label and then the image, planar: all of red, of green, of blue. */
const SHAPE: ImageShape = [32, 32, 3];
const PLANE = 32 * 32;
const RECORD = 1 + 3 * PLANE;
const TRAIN = /^data_batch_\d+\.bin$/;
const TEST = 'test_batch.bin';

export const cifarBinaryFormat: SourceFormat = {
  layout: `data_batch_1.bin to data_batch_5.bin and ${TEST} (CIFAR-10, binary version)`,
  recognises: ({ files }) => files.some((path) => TRAIN.test(path) || path === TEST),
  async read(tree, { files }, options) {
    if (options.imageSize !== undefined) {
      throw new InputError(
        'DATASET_SPEC',
        `dataset.imageSize: scales image files, but ${tree.path} holds CIFAR-10's binary files; leave it out`,
      );
    }
    const train = files.filter((path) => TRAIN.test(path));
    if (train.length === 0 || !files.includes(TEST)) {
      throw new InputError(
        'DATASET_CIFAR',
        `${tree.path}: ${train.length === 0 ? 'data_batch_1.bin' : TEST} is missing; wants ${cifarBinaryFormat.layout}`,
      );
    }
    const { classNames } = KNOWN_DATASETS.cifar10;
    return {
      imageShape: SHAPE,
      classNames,
      train: await readBatches(tree, train, classNames.length, options),
      test: await readBatches(tree, [TEST], classNames.length, options),
    };
  },
};

async function readBatches(
  tree: FileTree,
  files: readonly string[],
  classes: number,
  options: ReadOptions,
): Promise<RawImages> {
  const batches = new Map<string, { images: Uint8Array; labels: Uint8Array }>();
  for await (const { path, where, content } of tree.read(new Set(files), options.signal)) {
    batches.set(path, parseBatch(content, where, classes));
    options.onProgress?.({ done: batches.size, total: files.length });
  }
  // A tar gives them in its own order.
  const ordered = files.map((path) => batches.get(path)!);
  const labels = ordered.flatMap((batch) => Array.from(batch.labels));
  return { pieces: ordered.map((batch) => batch.images), labels: makeLabels(labels, classes) };
}

function parseBatch(content: Buffer, where: string, classes: number): { images: Uint8Array; labels: Uint8Array } {
  const count = content.length / RECORD;
  if (count === 0 || !Number.isInteger(count)) {
    throw new InputError(
      'DATASET_CIFAR',
      `${where}: has ${content.length} bytes, but must have a multiple of ${RECORD} (a label and a 32x32x3 image each). Fetch it again`,
    );
  }
  const images = new Uint8Array(count * 3 * PLANE);
  const labels = new Uint8Array(count);
  for (let n = 0; n < count; n++) {
    const label = content[n * RECORD]!;
    if (label >= classes) {
      throw new InputError(
        'DATASET_LABEL',
        `${where}: label ${label} of image ${n} is out of range: labels go from 0 to ${classes - 1}`,
      );
    }
    labels[n] = label;
    const planar = n * RECORD + 1;
    const interleaved = n * 3 * PLANE;
    for (let i = 0; i < PLANE; i++) {
      for (let c = 0; c < 3; c++) images[interleaved + 3 * i + c] = content[planar + c * PLANE + i]!;
    }
  }
  return { images, labels };
}
