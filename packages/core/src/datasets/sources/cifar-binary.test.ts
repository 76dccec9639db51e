import { describe, expect, test } from 'vitest';
import { type Files, fileOf, folderOf, readAt, tarOf } from '../test-support.js';

const record = (label: number, red: number, green: number, blue: number) =>
  Buffer.concat([Buffer.from([label]), Buffer.alloc(1024, red), Buffer.alloc(1024, green), Buffer.alloc(1024, blue)]);

const files: Files = {
  'data_batch_1.bin': Buffer.concat([record(3, 1, 2, 3), record(9, 4, 5, 6)]),
  'data_batch_2.bin': record(0, 7, 8, 9),
  'test_batch.bin': record(5, 10, 11, 12),
  'batches.meta.txt': Buffer.from('airplane\n'),
};

describe('CIFAR-10 binary', () => {
  test('planes become pixels, batches stand in order', async () => {
    const got = await readAt(await folderOf(files));
    expect(got.imageShape).toEqual([32, 32, 3]);
    expect(got.classNames[3]).toBe('cat');
    expect(got.train.labels).toEqual([3, 9, 0]);
    expect(got.train.images.slice(0, 6)).toEqual([1, 2, 3, 1, 2, 3]);
    expect(got.train.images.slice(3072, 3075)).toEqual([4, 5, 6]);
    expect(got.train.images.slice(-3)).toEqual([7, 8, 9]);
    expect(got.test.labels).toEqual([5]);
  });

  test('the tar that people fetch gives the same, whatever the order in it', async () => {
    const reversed = Object.fromEntries(Object.entries(files).reverse());
    const fromTar = await readAt(await fileOf('c.tar', tarOf(reversed, 'cifar-10-batches-bin/')));
    expect(fromTar).toEqual(await readAt(await folderOf(files)));
  });

  test.each<[fault: string, changed: Files, message: RegExp]>([
    [
      'cut short',
      { 'data_batch_2.bin': record(0, 1, 1, 1).subarray(1) },
      /data_batch_2.bin: has 3072 bytes, but .* multiple of 3073/,
    ],
    ['empty', { 'test_batch.bin': Buffer.alloc(0) }, /test_batch.bin: has 0 bytes/],
    [
      'with a label out of range',
      { 'test_batch.bin': record(10, 1, 1, 1) },
      /test_batch.bin: label 10 of image 0 is out of range/,
    ],
  ])('a batch %s is refused by name', async (_fault, changed, message) => {
    const path = await folderOf({ ...files, ...changed });
    await expect(readAt(path)).rejects.toThrow(message);
    await expect(readAt(path)).rejects.toThrow(path);
  });

  test('a missing test batch is named', async () => {
    const { 'test_batch.bin': _, ...rest } = files;
    await expect(readAt(await folderOf(rest))).rejects.toThrow(/test_batch.bin is missing/);
  });
});

const record100 = (coarse: number, fine: number, red: number) =>
  Buffer.concat([Buffer.from([coarse, fine]), Buffer.alloc(1024, red), Buffer.alloc(2048, 7)]);

const files100: Files = {
  'train.bin': Buffer.concat([record100(11, 19, 1), record100(19, 99, 2)]),
  'test.bin': record100(0, 30, 3),
  'fine_label_names.txt': Buffer.from('apple\n'),
};

describe('CIFAR-100 binary', () => {
  test('gives the 100 classes, from the second byte of a record', async () => {
    const got = await readAt(await folderOf(files100));
    expect(got.classNames.length).toBe(100);
    expect(got.train.labels).toEqual([19, 99]);
    expect(got.train.labels.map((label) => got.classNames[label])).toEqual(['cattle', 'worm']);
    expect(got.train.images.slice(3072, 3075)).toEqual([2, 7, 7]);
    expect(got.classNames[got.test.labels[0]!]).toBe('dolphin');
  });

  test('named cifar100-coarse gives the 20 superclasses, from the first', async () => {
    const got = await readAt(await fileOf('c.tar', tarOf(files100, 'cifar-100-binary/')), { name: 'cifar100-coarse' });
    expect(got.classNames.length).toBe(20);
    expect(got.train.labels.map((label) => got.classNames[label])).toEqual([
      'large_omnivores_and_herbivores',
      'vehicles_2',
    ]);
    expect(got.classNames[got.test.labels[0]!]).toBe('aquatic_mammals');
  });

  test.each<[fault: string, changed: Files, message: RegExp]>([
    ['cut short', { 'train.bin': record100(0, 0, 1).subarray(0, 3073) }, /train.bin: has 3073 bytes, .* of 3074 \(two/],
    ['with a label out of range', { 'test.bin': record100(0, 100, 1) }, /test.bin: label 100 of image 0 .* 0 to 99/],
    ["that is CIFAR-10's", { 'test.bin': record(3, 1, 1, 1) }, /test.bin: has 3073 bytes/],
  ])('a file %s is refused by name', async (_fault, changed, message) => {
    await expect(readAt(await folderOf({ ...files100, ...changed }))).rejects.toThrow(message);
  });

  test('a missing file is named', async () => {
    const { 'train.bin': _, ...rest } = files100;
    await expect(readAt(await folderOf(rest))).rejects.toThrow(/train.bin is missing/);
  });
});
