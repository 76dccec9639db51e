import { readFile } from 'node:fs/promises';
import { deflateSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { type Files, fileOf, folderOf, MAT, matArray, matCompressed, matFile, readAt, tarOf } from '../test-support.js';

const fixture = (name: string) => readFile(new URL(`../fixtures/${name}`, import.meta.url));

/** Images of one byte each, as MATLAB writes them: labels are doubles that are stored as bytes. */
const x = (bytes: readonly number[], shape = [32, 32, 3, bytes.length]) =>
  matArray('X', {
    kind: MAT.uint8,
    type: MAT.asBytes,
    shape,
    values: Buffer.concat(bytes.map((byte) => Buffer.alloc(3072, byte))),
  });
const y = (labels: readonly number[]) =>
  matArray('y', { kind: MAT.double, type: MAT.asBytes, shape: [labels.length, 1], values: Uint8Array.from(labels) });
const digits = (bytes: readonly number[], labels: readonly number[]) =>
  matFile(matCompressed(x(bytes)), matCompressed(y(labels)));

const files: Files = {
  'train_32x32.mat': digits([11, 12, 13], [10, 1, 9]),
  'test_32x32.mat': digits([21], [5]),
  'extra_32x32.mat': digits([31, 32], [2, 3]),
};
const firsts = (images: readonly number[]) => images.filter((_, i) => i % 3072 === 0);

describe('SVHN', () => {
  test.each(['svhn-compressed.mat', 'svhn-plain.mat'])('%s, which SciPy wrote, gives rows of pixels', async (name) => {
    const content = await fixture(name);
    const got = await readAt(await folderOf({ 'train_32x32.mat': content, 'test_32x32.mat': content }));
    expect(got.imageShape).toEqual([32, 32, 3]);
    expect(got.train.labels).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 1]);
    // The formula of test/oracle/svhn_fixtures.py.
    const wanted = Array.from({ length: 12 * 3072 }, (_, i) => {
      const [n, row, column, channel] = [Math.floor(i / 3072), Math.floor(i / 96) % 32, Math.floor(i / 3) % 32, i % 3];
      return (7 * row + 13 * column + 29 * channel + 31 * n) % 256;
    });
    expect(got.train.images).toEqual(wanted);
    expect(got.test).toEqual(got.train);
  });

  test('label 10 is the digit 0, and the extra images are left alone', async () => {
    const got = await readAt(await folderOf(files), { name: 'svhn' });
    expect(got.classNames).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    expect(got.train.labels).toEqual([0, 1, 9]);
    expect(firsts(got.train.images)).toEqual([11, 12, 13]);
    expect([got.test.labels, firsts(got.test.images)]).toEqual([[5], [21]]);
  });

  test('named svhn-extra they stand behind the training images, also from a tar in another order', async () => {
    const reversed = Object.fromEntries(Object.entries(files).reverse());
    const got = await readAt(await fileOf('s.tar', tarOf(reversed)), { name: 'svhn-extra' });
    expect(got.train.labels).toEqual([0, 1, 9, 2, 3]);
    expect(firsts(got.train.images)).toEqual([11, 12, 13, 31, 32]);
  });

  const whole = files['train_32x32.mat']!;
  const changed = (change: (copy: Buffer) => void) => {
    const copy = Buffer.from(whole);
    change(copy);
    return copy;
  };
  /** X that says it has one image and inflates to 64 MB. */
  const bomb = () => {
    const data = deflateSync(Buffer.concat([x([1]), Buffer.alloc(2 ** 26)]));
    const tag = Buffer.alloc(8);
    tag.writeUInt32LE(15, 0);
    tag.writeUInt32LE(data.length, 4);
    return Buffer.concat([tag, data]);
  };
  const huge = () => {
    const array = x([1], [32, 32, 3, 1_000_000]);
    array.writeUInt32LE(2 ** 32 - 1, 4);
    return matCompressed(array);
  };

  test.each<[fault: string, content: Uint8Array, message: RegExp]>([
    ['cut short in its header', whole.subarray(0, 100), /is cut short: 100 bytes/],
    ['cut short in an element', whole.subarray(0, whole.length - 9), /is cut short/],
    ['of version 7.3', changed((c) => c.writeUInt16LE(0x0200, 124)), /but version 7.3 \(HDF5\)/],
    ['of big-endian numbers', changed((c) => c.write('MI', 126)), /but a big-endian one/],
    ['that is no MAT-file', Buffer.alloc(5000, 'text '), /but something else/],
    ['with a damaged compressed array', changed((c) => c.fill(0x55, 180, 190)), /is cut short or damaged/],
    ['without labels', matFile(x([1])), /has no array y of numbers/],
    ['with other labels than images', digits([1, 2], [1]), /has 2 images, but 1 labels/],
    ['with images of another size', matFile(x([1], [32, 16, 6]), y([1])), /its X is 32x16x6 and not 32x32x3xN bytes/],
    ['with fewer values than it says', matFile(x([1], [32, 32, 3, 2]), y([1, 1])), /32x32x3x2/],
    ['with label 0', digits([1], [0]), /label 0 of image 0 is out of range: labels go from 1 to 10/],
    ['with label 11', digits([1, 1], [3, 11]), /label 11 of image 1 is out of range/],
    [
      'that inflates to more than it says',
      matFile(bomb(), y([1])),
      /inflates to more than the \d+ bytes that it names/,
    ],
    ['that says it is larger than any', matFile(huge(), y([1])), /is 32x32x3x1000000 in 4294967295 bytes/],
  ])('a file %s is refused by name', async (_fault, content, message) => {
    const path = await folderOf({ ...files, 'train_32x32.mat': content });
    await expect(readAt(path)).rejects.toThrow(message);
    await expect(readAt(path)).rejects.toThrow(`${path}/train_32x32.mat`);
    await expect(readAt(path)).rejects.toMatchObject({ name: 'InputError' });
  });

  test('cut anywhere it is refused, never misread', async () => {
    const small = digits([1], [7]);
    for (let length = 0; length < small.length; length += 3) {
      const path = await folderOf({ 'train_32x32.mat': small.subarray(0, length), 'test_32x32.mat': small });
      await expect(readAt(path), `of ${length} bytes`).rejects.toMatchObject({ name: 'InputError' });
    }
  });

  test('a missing file is named', async () => {
    const { 'test_32x32.mat': _, ...rest } = files;
    await expect(readAt(await folderOf(rest))).rejects.toThrow(/test_32x32.mat is missing/);
    await expect(
      readAt(await folderOf({ ...files, 'extra_32x32.mat': Buffer.alloc(0) }), { name: 'svhn-extra' }),
    ).rejects.toThrow(/extra_32x32.mat: is cut short/);
  });
});
