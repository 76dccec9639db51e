import { InputError } from '../../errors.js';
import { type ImageShape, makeLabels } from '../dataset.js';
import type { FileTree } from './file-tree.js';
import { type MatArray, readMatFile } from './mat-file.js';
import { type RawImages, type ReadOptions, refuseImageSize, type SourceFormat } from './raw-dataset.js';

/**
 * SVHN's cropped digits as their authors give them: MATLAB files with the arrays X, uint8 `[32, 32, 3, count]` column-major,
 * and y `[count, 1]`, the digit, in which 10 stands for 0.
 */
const SHAPE: ImageShape = [32, 32, 3];
const SIDE = 32;
const PLANE = SIDE * SIDE;
const DIGITS = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'];

const TRAIN = 'train_32x32.mat';
const TEST = 'test_32x32.mat';
const EXTRA = 'extra_32x32.mat';

export const svhnFormat: SourceFormat = {
  layout: `${TRAIN} and ${TEST} (SVHN, cropped digits), with ${EXTRA} for svhn-extra`,
  recognises: ({ files }) => [TRAIN, TEST, EXTRA].some((name) => files.includes(name)),
  async read(tree, { files }, options) {
    refuseImageSize(options, tree.path, "SVHN's files");
    const train = options.name === 'svhn-extra' ? [TRAIN, EXTRA] : [TRAIN];
    const missing = [...train, TEST].find((name) => !files.includes(name));
    if (missing) {
      throw new InputError('DATASET_MAT', `${tree.path}: ${missing} is missing; wants ${svhnFormat.layout}`);
    }
    const total = train.length + 1;
    return {
      imageShape: SHAPE,
      classNames: DIGITS,
      train: await readFiles(tree, train, options, { before: 0, total }),
      test: await readFiles(tree, [TEST], options, { before: train.length, total }),
    };
  },
};

async function readFiles(
  tree: FileTree,
  names: readonly string[],
  options: ReadOptions,
  { before, total }: { before: number; total: number },
): Promise<RawImages> {
  const parts = new Map<string, { images: Uint8Array; digits: number[] }>();
  for await (const { path, where, content } of tree.read(new Set(names), options.signal)) {
    const arrays = readMatFile(content, new Set(['X', 'y']), where);
    parts.set(path, labelled(arrays, where));
    options.onProgress?.({ done: before + parts.size, total });
  }
  // A tar gives them in its own order.
  const ordered = names.map((name) => parts.get(name)!);
  return {
    pieces: ordered.map(({ images }) => images),
    labels: makeLabels(
      ordered.flatMap(({ digits }) => digits),
      DIGITS.length,
    ),
  };
}

function labelled(arrays: readonly MatArray[], where: string): { images: Uint8Array; digits: number[] } {
  const refuse = (fault: string) => new InputError('DATASET_MAT', `${where}: ${fault}. Fetch it again`);
  const array = (name: string) => {
    const found = arrays.find((candidate) => candidate.name === name);
    if (!found) throw refuse(`has no array ${name} of numbers`);
    return found;
  };
  const [x, y] = [array('X'), array('y')];
  // MATLAB drops trailing dimensions of 1.
  const [height, width, channels, count = 1] = x.shape;
  if (height !== SIDE || width !== SIDE || channels !== 3 || x.shape.length > 4 || !(x.values instanceof Uint8Array)) {
    throw refuse(`its X is ${x.shape.join('x')} and not ${SIDE}x${SIDE}x3xN bytes`);
  }
  if (y.values.length !== count) throw refuse(`has ${count} images, but ${y.values.length} labels`);
  const digits = Array.from(y.values, (label, n) => {
    if (Number.isInteger(label) && label >= 1 && label <= 10) return label % 10;
    throw new InputError(
      'DATASET_LABEL',
      `${where}: label ${label} of image ${n} is out of range: labels go from 1 to 10, which stands for the digit 0`,
    );
  });
  return { images: rowMajor(x.values, count), digits };
}

/** `[column, row]` planes of each image to pixels row by row. */
function rowMajor(columns: Uint8Array, count: number): Uint8Array {
  const images = new Uint8Array(columns.length);
  for (let n = 0; n < count; n++) {
    const image = n * 3 * PLANE;
    for (let row = 0; row < SIDE; row++) {
      for (let column = 0; column < SIDE; column++) {
        const to = image + 3 * (row * SIDE + column);
        const from = image + column * SIDE + row;
        images[to] = columns[from]!;
        images[to + 1] = columns[from + PLANE]!;
        images[to + 2] = columns[from + 2 * PLANE]!;
      }
    }
  }
  return images;
}
