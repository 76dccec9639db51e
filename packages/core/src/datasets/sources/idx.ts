import { promisify } from 'node:util';
import { constants, gunzip, type ZlibOptions } from 'node:zlib';
import { InputError } from '../../errors.js';
import { type ImageShape, makeLabels } from '../dataset.js';
import type { FileTree, Listing } from './file-tree.js';
import { type RawImages, type ReadOptions, refuseImageSize, type SourceFormat } from './raw-dataset.js';

/**
 * The format of MNIST: big-endian int32 magic (0, 0, type, rank), one int32 a dimension, then the values. Images are
 * uint8 `[count, height, width]`, labels uint8 `[count]`.
 */
const IMAGES_MAGIC = 0x00000803;
const LABELS_MAGIC = 0x00000801;

/** In bytes: MNIST's training images have 47 million. More would be there to fill the memory. */
const LARGEST_FILE = 2 ** 31;

/** Compressed bytes that hold the header. */
const START_BYTES = 1024;

/** Both spellings are about: `train-images-idx3-ubyte` and `train-images.idx3-ubyte`. */
const FILE = /^(train|t10k|test)-(images|labels)[.-]idx[13]-ubyte(\.gz)?$/;
const LAYOUT =
  'train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte, t10k-labels-idx1-ubyte (or .gz)';

export const idxFormat: SourceFormat = {
  layout: LAYOUT,
  recognises: ({ files }) => files.some((path) => FILE.test(path)),
  async read(tree, listing, options) {
    refuseImageSize(options, tree.path, 'idx files');
    const train = await readPart(tree, listing, 'train', options);
    const test = await readPart(tree, listing, 'test', options);
    if (train.imageShape.join() !== test.imageShape.join()) {
      const size = ([height, width]: ImageShape) => `${height}x${width}`;
      throw new InputError(
        'DATASET_IDX',
        `${tree.path}: training images are ${size(train.imageShape)}, test images ${size(test.imageShape)}; both must be of one size`,
      );
    }
    const classNames =
      options.classNames ?? Array.from({ length: 1 + maximum(train.labels) }, (_, label) => String(label));
    const finish = (part: Part): RawImages => {
      checkLabels(part, classNames.length, options.classNames !== undefined);
      return { pieces: [part.images], labels: makeLabels(part.labels, classNames.length) };
    };
    return { imageShape: train.imageShape, classNames, train: finish(train), test: finish(test) };
  },
};

interface Part {
  readonly images: Uint8Array;
  readonly imageShape: ImageShape;
  readonly labels: Uint8Array;
  readonly labelsFile: string;
}

async function readPart(tree: FileTree, listing: Listing, part: 'train' | 'test', options: ReadOptions): Promise<Part> {
  const imagesFile = findFile(tree, listing, part, 'images');
  const labelsFile = findFile(tree, listing, part, 'labels');
  let images: IdxArray | undefined;
  let labels: IdxArray | undefined;
  for await (const { path, where, content } of tree.read(new Set([imagesFile, labelsFile]), options.signal)) {
    const magic = path === imagesFile ? IMAGES_MAGIC : LABELS_MAGIC;
    const array = parseIdx(await inflate(content, where, magic), where, magic);
    if (path === imagesFile) images = array;
    else labels = array;
  }
  if (!images || !labels) throw new Error(`${tree.path}: listed files were not read`);
  const [count = 0, height = 0, width = 0] = images.shape;
  if (count !== labels.shape[0]) {
    throw new InputError(
      'DATASET_IDX',
      `${tree.path}: ${imagesFile} has ${count} images, but ${labelsFile} has ${labels.shape[0]} labels; they must belong together`,
    );
  }
  if (images.values.length === 0)
    throw new InputError(
      'DATASET_IDX',
      `${tree.path}: ${imagesFile} has no images (its shape is ${images.shape.join('x')})`,
    );
  options.onProgress?.({ done: count, total: count });
  return {
    images: images.values,
    imageShape: [height, width, 1],
    labels: labels.values,
    labelsFile: `${tree.path}: ${labelsFile}`,
  };
}

function findFile(tree: FileTree, { files }: Listing, part: 'train' | 'test', what: 'images' | 'labels'): string {
  const found = files.filter((path) => {
    const [, prefix, kind] = FILE.exec(path) ?? [];
    return kind === what && (prefix === 'train') === (part === 'train');
  });
  // Plain and gzipped beside one another: the plain one sorts first and needs no inflating.
  if (found[0] !== undefined) return found[0];
  throw new InputError(
    'DATASET_IDX',
    `${tree.path}: the idx file with the ${part} ${what} is missing; the folder must hold ${LAYOUT}`,
  );
}

/** Inflates what is gzipped, but no more than its header says: a small file may hold any number of zeros. */
async function inflate(content: Buffer, where: string, magic: number): Promise<Buffer> {
  if (content[0] !== 0x1f || content[1] !== 0x8b) return content;
  const refuse = (fault: string, cause: Error) =>
    new InputError('DATASET_IDX', `${where}: ${fault}. Fetch it again`, false, { cause });
  const unpack = (bytes: Buffer, options: ZlibOptions) =>
    promisify(gunzip)(bytes, options).catch((cause: NodeJS.ErrnoException) => {
      const fault =
        cause.code === 'ERR_BUFFER_TOO_LARGE'
          ? 'is too long: it inflates to more than its header wants'
          : `is cut short or damaged: ${cause.message}`;
      throw refuse(fault, cause);
    });
  const start = await unpack(content.subarray(0, START_BYTES), { finishFlush: constants.Z_SYNC_FLUSH });
  const { wanted } = parseHeader(start, where, magic);
  return unpack(content, { maxOutputLength: wanted });
}

interface IdxArray {
  readonly shape: readonly number[];
  readonly values: Uint8Array;
}

function parseIdx(content: Buffer, where: string, magic: number): IdxArray {
  const { shape, headerLength, wanted } = parseHeader(content, where, magic);
  if (content.length !== wanted) {
    const fault = content.length < wanted ? 'is cut short' : 'is too long';
    throw new InputError(
      'DATASET_IDX',
      `${where}: ${fault}: ${content.length} bytes, but its header (${shape.join('x')}) wants ${wanted}. Fetch it again`,
    );
  }
  return { shape, values: content.subarray(headerLength) };
}

/** @param content the file, or its beginning. @returns `wanted`: the bytes that the whole file must have. */
function parseHeader(
  content: Buffer,
  where: string,
  magic: number,
): { shape: number[]; headerLength: number; wanted: number } {
  const hex = (value: number) => `0x${value.toString(16).padStart(8, '0')}`;
  const rank = magic & 0xff;
  const headerLength = 4 + 4 * rank;
  if (content.length >= 4 && content.readUInt32BE(0) !== magic) {
    const what = magic === IMAGES_MAGIC ? 'idx images' : 'idx labels';
    throw new InputError(
      'DATASET_IDX',
      `${where}: starts with ${hex(content.readUInt32BE(0))}, but ${what} start with ${hex(magic)}`,
    );
  }
  if (content.length < headerLength) {
    throw new InputError(
      'DATASET_IDX',
      `${where}: is cut short: ${content.length} bytes, but the header alone has ${headerLength}`,
    );
  }
  const shape = Array.from({ length: rank }, (_, i) => content.readUInt32BE(4 + 4 * i));
  const wanted = headerLength + shape.reduce((product, n) => product * n, 1);
  if (wanted > LARGEST_FILE) {
    throw new InputError(
      'DATASET_IDX',
      `${where}: its header (${shape.join('x')}) wants ${wanted} bytes; at most ${LARGEST_FILE} are read`,
    );
  }
  return { shape, headerLength, wanted };
}

function maximum(values: Uint8Array): number {
  return values.reduce((a, b) => Math.max(a, b), 0);
}

function checkLabels({ labels, labelsFile }: Part, classes: number, known: boolean): void {
  const position = labels.findIndex((label) => label >= classes);
  if (position < 0) return;
  const why = known ? `there are ${classes} classes` : `the training labels end at ${classes - 1}`;
  throw new InputError(
    'DATASET_LABEL',
    `${labelsFile}: label ${labels[position]} of image ${position} is out of range: ${why}, so labels go from 0 to ${classes - 1}`,
  );
}
