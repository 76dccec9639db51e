import { InputError } from '../../errors.js';
import { CIFAR10_CLASSES, CIFAR100_CLASSES, CIFAR100_SUPERCLASSES } from '../class-names.js';
import { type ImageShape, makeLabels } from '../dataset.js';
import type { FileTree } from './file-tree.js';
import { type RawImages, type ReadOptions, refuseImageSize, type SourceFormat } from './raw-dataset.js';

/**
 * CIFAR as its authors give it: a record is one label (CIFAR-10) or two (CIFAR-100: the superclass, then the class), and then
 * the image, planar: all of red, of green, of blue.
 */
const SHAPE: ImageShape = [32, 32, 3];
const PLANE = 32 * 32;

interface Records {
  readonly classNames: readonly string[];
  /** Bytes before the image; */
  readonly labelBytes: number;
  /** which of them is the label. */
  readonly labelAt: number;
}

const TRAIN_10 = /^data_batch_\d+\.bin$/;
const TEST_10 = 'test_batch.bin';
const TRAIN_100 = 'train.bin';
const TEST_100 = 'test.bin';

export const cifar10BinaryFormat: SourceFormat = {
  layout: `data_batch_1.bin to data_batch_5.bin and ${TEST_10} (CIFAR-10, binary version)`,
  recognises: ({ files }) => files.some((path) => TRAIN_10.test(path) || path === TEST_10),
  read: (tree, { files }, options) =>
    readCifar(tree, files, options, {
      train: files.filter((path) => TRAIN_10.test(path)),
      test: TEST_10,
      firstTrain: 'data_batch_1.bin',
      layout: cifar10BinaryFormat.layout,
      records: { classNames: CIFAR10_CLASSES, labelBytes: 1, labelAt: 0 },
    }),
};

export const cifar100BinaryFormat: SourceFormat = {
  layout: `${TRAIN_100} and ${TEST_100} (CIFAR-100, binary version)`,
  recognises: ({ files }) => files.includes(TRAIN_100) || files.includes(TEST_100),
  read: (tree, { files }, options) =>
    readCifar(tree, files, options, {
      train: files.filter((path) => path === TRAIN_100),
      test: TEST_100,
      firstTrain: TRAIN_100,
      layout: cifar100BinaryFormat.layout,
      records:
        options.name === 'cifar100-coarse'
          ? { classNames: CIFAR100_SUPERCLASSES, labelBytes: 2, labelAt: 0 }
          : { classNames: CIFAR100_CLASSES, labelBytes: 2, labelAt: 1 },
    }),
};

async function readCifar(
  tree: FileTree,
  files: readonly string[],
  options: ReadOptions,
  wanted: {
    train: readonly string[];
    test: string;
    firstTrain: string;
    layout: string;
    records: Records;
  },
) {
  refuseImageSize(options, tree.path, "CIFAR's binary files");
  const { train, test, records } = wanted;
  if (train.length === 0 || !files.includes(test)) {
    const missing = train.length === 0 ? wanted.firstTrain : test;
    throw new InputError('DATASET_CIFAR', `${tree.path}: ${missing} is missing; wants ${wanted.layout}`);
  }
  return {
    imageShape: SHAPE,
    classNames: records.classNames,
    train: await readBatches(tree, train, records, options),
    test: await readBatches(tree, [test], records, options),
  };
}

async function readBatches(
  tree: FileTree,
  files: readonly string[],
  records: Records,
  options: ReadOptions,
): Promise<RawImages> {
  const batches = new Map<string, { images: Uint8Array; labels: Uint8Array }>();
  for await (const { path, where, content } of tree.read(new Set(files), options.signal)) {
    batches.set(path, parseBatch(content, where, records));
    options.onProgress?.({ done: batches.size, total: files.length });
  }
  // A tar gives them in its own order.
  const ordered = files.map((path) => batches.get(path)!);
  const labels = ordered.flatMap((batch) => Array.from(batch.labels));
  return { pieces: ordered.map((batch) => batch.images), labels: makeLabels(labels, records.classNames.length) };
}

function parseBatch(
  content: Buffer,
  where: string,
  { classNames, labelBytes, labelAt }: Records,
): { images: Uint8Array; labels: Uint8Array } {
  const classes = classNames.length;
  const record = labelBytes + 3 * PLANE;
  const count = content.length / record;
  if (count === 0 || !Number.isInteger(count)) {
    const labels = labelBytes === 1 ? 'a label' : 'two labels';
    throw new InputError(
      'DATASET_CIFAR',
      `${where}: has ${content.length} bytes, but must have a multiple of ${record} (${labels} and a 32x32x3 image each). Fetch it again`,
    );
  }
  const images = new Uint8Array(count * 3 * PLANE);
  const labels = new Uint8Array(count);
  for (let n = 0; n < count; n++) {
    const label = content[n * record + labelAt]!;
    if (label >= classes) {
      throw new InputError(
        'DATASET_LABEL',
        `${where}: label ${label} of image ${n} is out of range: labels go from 0 to ${classes - 1}`,
      );
    }
    labels[n] = label;
    const planar = n * record + labelBytes;
    const interleaved = n * 3 * PLANE;
    for (let i = 0; i < PLANE; i++) {
      for (let c = 0; c < 3; c++) images[interleaved + 3 * i + c] = content[planar + c * PLANE + i]!;
    }
  }
  return { images, labels };
}
