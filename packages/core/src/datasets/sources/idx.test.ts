import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type Files, folderOf, idx, idxFiles, readAt } from '../test-support.js';

describe('idx', () => {
  test('gives images, labels and classes as they stand in the files', async () => {
    const got = await readAt(await folderOf(idxFiles([0, 1, 2], [2, 0], 1)));
    expect(got).toEqual({
      imageShape: [1, 1, 1],
      classNames: ['0', '1', '2'],
      train: { images: [0, 1, 2], labels: [0, 1, 2] },
      test: { images: [0, 1], labels: [2, 0] },
    });
  });

  test('gzipped and dotted file names give the same as plain ones', async () => {
    const files = idxFiles([0, 1, 1], [1, 0]);
    const renamed: Files = Object.fromEntries(
      Object.entries(files).map(([name, content]) => [`${name.replace('-idx', '.idx')}.gz`, gzipSync(content)]),
    );
    expect(await readAt(await folderOf(renamed))).toEqual(await readAt(await folderOf(files)));
  });

  const sound = idxFiles([0, 1, 1], [1, 0]);
  const trainImages = sound['train-images-idx3-ubyte']!;
  const gzipped = gzipSync(trainImages);

  test.each<[fault: string, changed: Files, message: RegExp]>([
    [
      'cut short',
      { 'train-images-idx3-ubyte': trainImages.subarray(0, -1) },
      /train-images-idx3-ubyte: is cut short: 27 bytes, but its header \(3x2x2\) wants 28/,
    ],
    [
      'cut short inside the header',
      { 'train-images-idx3-ubyte': trainImages.subarray(0, 9) },
      /train-images-idx3-ubyte: is cut short: 9 bytes, but the header alone has 16/,
    ],
    ['empty', { 'train-images-idx3-ubyte': Buffer.alloc(0) }, /train-images-idx3-ubyte: is cut short: 0 bytes/],
    [
      'longer than its header says',
      { 'train-images-idx3-ubyte': Buffer.concat([trainImages, Buffer.alloc(2)]) },
      /train-images-idx3-ubyte: is too long: 30 bytes, but its header \(3x2x2\) wants 28/,
    ],
    [
      'of another magic number',
      { 'train-images-idx3-ubyte': idx([12], Array(12).fill(0)) },
      /train-images-idx3-ubyte: starts with 0x00000801, but idx images start with 0x00000803/,
    ],
    [
      'gzipped and cut short',
      { 'train-images-idx3-ubyte': gzipped.subarray(0, gzipped.length - 9) },
      /train-images-idx3-ubyte: is cut short or damaged: unexpected end of file/,
    ],
    [
      'gzipped and full of zeros behind its end',
      { 'train-images-idx3-ubyte': gzipSync(Buffer.concat([trainImages, Buffer.alloc(2 ** 24)])) },
      /train-images-idx3-ubyte: is too long: it inflates to more than its header wants/,
    ],
    [
      'that says it is larger than any',
      { 'train-images-idx3-ubyte': gzipSync(Buffer.concat([Buffer.from('00000803ffffffffffffffff00000001', 'hex')])) },
      /its header \(4294967295x4294967295x1\) wants \d+ bytes; at most 2147483648 are read/,
    ],
    [
      'gzipped and damaged',
      { 'train-images-idx3-ubyte': Buffer.from(gzipped).fill(0xff, gzipped.length - 8, gzipped.length - 4) },
      /train-images-idx3-ubyte: is cut short or damaged: incorrect data check/,
    ],
    [
      'one label short',
      { 'train-labels-idx1-ubyte': idx([2], [0, 1]) },
      /train-images-idx3-ubyte has 3 images, but train-labels-idx1-ubyte has 2 labels/,
    ],
    [
      'of another size for testing',
      { 't10k-images-idx3-ubyte': idx([2, 1, 4], Array(8).fill(0)) },
      /2x2, test images 1x4/,
    ],
    [
      'without images',
      { 'train-images-idx3-ubyte': idx([0, 2, 2], []), 'train-labels-idx1-ubyte': idx([0], []) },
      /train-images-idx3-ubyte has no images/,
    ],
    [
      'with a test label that no training image has',
      { 't10k-labels-idx1-ubyte': idx([2], [1, 2]) },
      /t10k-labels-idx1-ubyte: label 2 of image 1 is out of range: the training labels end at 1/,
    ],
  ])('a file %s is refused by name', async (_fault, changed, message) => {
    const path = await folderOf({ ...sound, ...changed });
    await expect(readAt(path)).rejects.toThrow(message);
    await expect(readAt(path)).rejects.toThrow(path);
    await expect(readAt(path)).rejects.toMatchObject({ name: 'InputError' });
  });

  test('a label beyond the known classes is refused with its place', async () => {
    const path = await folderOf(idxFiles([0, 1, 10], [0, 1]));
    await expect(readAt(path, { classNames: Array.from('0123456789') })).rejects.toThrow(
      /train-labels-idx1-ubyte: label 10 of image 2 is out of range: there are 10 classes, so labels go from 0 to 9/,
    );
  });

  test('a missing file is named with the four that are wanted', async () => {
    const { 't10k-labels-idx1-ubyte': _, ...three } = sound;
    await expect(readAt(await folderOf(three))).rejects.toThrow(/the test labels is missing; .*t10k-labels-idx1-ubyte/);
  });

  test('imageSize is refused: these images are not scaled', async () => {
    await expect(readAt(await folderOf(sound), { imageSize: 8 })).rejects.toThrow(/dataset.imageSize/);
  });
});
