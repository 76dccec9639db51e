import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { deflateSync } from 'node:zlib';
import sharp from 'sharp';
import { onTestFinished } from 'vitest';
import type { LabelledImages } from './dataset.js';
import type { ImageStore } from './image-store.js';
import { openTree } from './sources/file-tree.js';
import type { RawImages, ReadOptions } from './sources/raw-dataset.js';
import { readSource } from './sources/read-source.js';

/** Small data sets for tests, built byte for byte. */

export type Files = Record<string, Uint8Array>;

/** An empty folder that is removed after the test. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'nesgd-datasets-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

export async function writeFiles(folder: string, files: Files): Promise<string> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return folder;
}

export async function folderOf(files: Files): Promise<string> {
  return writeFiles(await temporaryFolder(), files);
}

export async function fileOf(name: string, content: Uint8Array): Promise<string> {
  return join(await folderOf({ [name]: content }), name);
}

/** @param shape of uint8 values; its length is the rank in the magic number. */
export function idx(shape: readonly number[], values: ArrayLike<number>): Buffer {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.writeUInt32BE(0x00000800 + shape.length);
  shape.forEach((n, i) => {
    header.writeUInt32BE(n, 4 + 4 * i);
  });
  return Buffer.concat([header, Uint8Array.from(values)]);
}

/** The four idx files: images of `size` x `size`, image i filled with the byte i. */
export function idxFiles(trainLabels: readonly number[], testLabels: readonly number[], size = 2): Files {
  const images = (count: number) =>
    idx(
      [count, size, size],
      Array.from({ length: count * size * size }, (_, i) => Math.floor(i / size ** 2) % 256),
    );
  return {
    'train-images-idx3-ubyte': images(trainLabels.length),
    'train-labels-idx1-ubyte': idx([trainLabels.length], trainLabels),
    't10k-images-idx3-ubyte': images(testLabels.length),
    't10k-labels-idx1-ubyte': idx([testLabels.length], testLabels),
  };
}

type Colour = readonly [red: number, green: number, blue: number];

/** A PNG of one colour. */
export async function png(colour: Colour, height = 2, width = 2): Promise<Buffer> {
  return sharp(Buffer.from(Array.from({ length: height * width }, () => colour).flat()), {
    raw: { width, height, channels: 3 },
  })
    .png()
    .toBuffer();
}

/** Two classes, two training images and a test image each; the red value tells them apart. */
export async function imageFiles(): Promise<Files> {
  return {
    'train/cat/1.png': await png([10, 0, 0]),
    'train/cat/2.png': await png([20, 0, 0]),
    'train/dog/1.png': await png([30, 0, 0]),
    'train/dog/2.png': await png([40, 0, 0]),
    'test/cat/9.png': await png([50, 0, 0]),
    'test/dog/9.png': await png([60, 0, 0]),
  };
}

/** Images that stand in memory, `size` values each. */
export function inMemory(bytes: Uint8Array, size: number): ImageStore {
  return {
    read: (image, into) => into.set(bytes.subarray(image * size, (image + 1) * size)),
    checkUnchanged: () => {},
  };
}

/** All images of a part, joined. */
export function joined({ images, count }: LabelledImages, size: number): Uint8Array {
  const all = new Uint8Array(count * size);
  for (let image = 0; image < count; image++) images.read(image, all.subarray(image * size));
  return all;
}

/** One element of a MAT-file: its tag, in the short form where that holds it, its data and padding. */
function matElement(type: number, data: Uint8Array): Buffer {
  const tag = Buffer.alloc(8);
  if (data.length > 0 && data.length <= 4) {
    tag.writeUInt16LE(type, 0);
    tag.writeUInt16LE(data.length, 2);
    tag.set(data, 4);
    return tag;
  }
  tag.writeUInt32LE(type, 0);
  tag.writeUInt32LE(data.length, 4);
  return Buffer.concat([tag, data, Buffer.alloc((8 - (data.length % 8)) % 8)]);
}

/** mxDOUBLE_CLASS and mxUINT8_CLASS; the types miUINT8 and miDOUBLE. */
export const MAT = { double: 6, uint8: 9, asBytes: 2, asDoubles: 9 } as const;

/** A numeric array of a MAT-file, as MATLAB writes them. @param values the bytes of the values' element. */
export function matArray(
  name: string,
  { kind, type, shape, values }: { kind: number; type: number; shape: readonly number[]; values: Uint8Array },
): Buffer {
  return matElement(
    14,
    Buffer.concat([
      matElement(6, Buffer.from(Uint32Array.of(kind, 0).buffer)),
      matElement(5, Buffer.from(Int32Array.from(shape).buffer)),
      matElement(1, Buffer.from(name)),
      matElement(type, values),
    ]),
  );
}

/** An array's element, compressed: such elements are not padded. */
export function matCompressed(array: Uint8Array): Buffer {
  const data = deflateSync(array);
  const tag = Buffer.alloc(8);
  tag.writeUInt32LE(15, 0);
  tag.writeUInt32LE(data.length, 4);
  return Buffer.concat([tag, data]);
}

export function matFile(...elements: readonly Uint8Array[]): Buffer {
  const header = Buffer.alloc(128, ' ');
  header.write('MATLAB 5.0 MAT-file, Platform: GLNXA64');
  header.writeUInt16LE(0x0100, 124);
  header.write('IM', 126);
  return Buffer.concat([header, ...elements]);
}

export interface TarEntry {
  readonly name: string;
  readonly content?: Uint8Array;
  /** '0' a file, '1' a hard link, '2' a symbolic link, '5' a folder. */
  readonly type?: '0' | '1' | '2' | '5';
}

/** A ustar archive without the two empty blocks that end one. */
export function tarWithoutEnd(entries: readonly TarEntry[]): Buffer {
  return Buffer.concat(
    entries.flatMap(({ name, content = new Uint8Array(), type = '0' }) => [
      tarHeader(name, content.length, type),
      content,
      Buffer.alloc((512 - (content.length % 512)) % 512),
    ]),
  );
}

export function tar(entries: readonly TarEntry[]): Buffer {
  return Buffer.concat([tarWithoutEnd(entries), Buffer.alloc(1024)]);
}

export function tarOf(files: Files, wrapper = ''): Buffer {
  return tar(Object.entries(files).map(([name, content]) => ({ name: wrapper + name, content })));
}

function tarHeader(name: string, size: number, type: string): Buffer {
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, '0')}\0`;
  const header = Buffer.alloc(512);
  header.write(name, 0, 100);
  header.write(octal(0o644, 7), 100);
  header.write(octal(0, 7), 108);
  header.write(octal(0, 7), 116);
  header.write(octal(size, 11), 124);
  header.write(octal(0, 11), 136);
  header.write(' '.repeat(8), 148);
  header.write(type, 156);
  header.write('ustar\x0000', 257, 'latin1');
  header.write(
    `${octal(
      header.reduce((sum, byte) => sum + byte, 0),
      6,
    )} `,
    148,
  );
  return header;
}

/** What a source format made of the files at `path`, images joined. */
export async function readAt(path: string, options: ReadOptions = {}) {
  const { imageShape, classNames, train, test } = await readSource(
    await openTree(path, options.testFraction !== undefined),
    options,
  );
  const part = ({ pieces, labels }: RawImages) => ({ images: [...Buffer.concat(pieces)], labels: [...labels] });
  return { imageShape, classNames, train: part(train), test: part(test) };
}
