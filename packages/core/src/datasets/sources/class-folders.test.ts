import { describe, expect, test } from 'vitest';
import { type Files, fileOf, folderOf, png, readAt, tarOf, temporaryFolder } from '../test-support.js';

/** Ten holes and five normal images, in two parts, with the annotations of a competition; red tells images apart. */
async function fabric(): Promise<Files> {
  const files: Files = { 'readme.md': Buffer.from('about') };
  for (let i = 0; i < 10; i++) files[`part${1 + (i % 2)}/hole/J${i}.png`] = await png([i, 1, 0], 4, 8);
  for (let i = 0; i < 5; i++) files[`part1/正常/${i}.png`] = await png([100 + i, 1, 0], 6, 3);
  files['part1/hole/J0.xml'] = Buffer.from('<annotation/>');
  return files;
}
const options = { testFraction: 0.2, imageSize: 4 };
const reds = (images: readonly number[]) => images.filter((_, i) => i % 48 === 0);

describe('class folders without a test set', () => {
  test('a class is what its folder is called, in whatever part it lies; any size is scaled', async () => {
    const got = await readAt(await folderOf(await fabric()), options);
    expect(got.imageShape).toEqual([4, 4, 3]);
    expect(got.classNames).toEqual(['hole', '正常']);
    expect(got.train.labels).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1]);
    expect(got.test.labels).toEqual([0, 0, 1]);
    // Drawn, not the first ones; pinned, because a change would change what runs are measured on.
    expect(reds(got.test.images)).toEqual([1, 3, 100]);
    const all = [...reds(got.train.images), ...reds(got.test.images)].sort((a, b) => a - b);
    expect(all).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 100, 101, 102, 103, 104]);
  });

  test('the same images test every time, from a folder and from a tar of it', async () => {
    const files = await fabric();
    const fromFolder = await readAt(await folderOf(files), options);
    const reversed = Object.fromEntries(Object.entries(files).reverse());
    expect(await readAt(await fileOf('f.tar', tarOf(reversed, 'fabric/')), options)).toEqual(fromFolder);
  });

  test.each<[fault: string, change: (files: Files) => Files, message: RegExp]>([
    [
      'a class too small to test',
      (f) => ({ ...f, 'part1/knot/1.png': f['part1/hole/J0.png']! }),
      /class knot none would/,
    ],
    ['an image outside all folders', (f) => ({ ...f, '1.png': f['part1/hole/J0.png']! }), /1.png stands outside/],
    ['a file that is no image', (f) => ({ ...f, 'part1/hole/a.zip': Buffer.alloc(3) }), /part1\/hole\/a.zip is not an/],
    ['images of several sizes, unscaled', (f) => f, /must be of one size, or dataset.imageSize/],
    ['no images', () => ({ 'a/readme.txt': Buffer.alloc(1) }), /there are no images in folders/],
  ])('%s is refused', async (fault, change, message) => {
    const path = await folderOf(change(await fabric()));
    const { imageSize: _, ...unscaled } = options;
    await expect(readAt(path, fault.includes('unscaled') ? unscaled : options)).rejects.toThrow(message);
  });

  test('a set that has a test set already is told to do without testFraction', async () => {
    const image = await png([1, 2, 3]);
    const path = await folderOf({ 'train/a/1.png': image, 'test/a/1.png': image });
    await expect(readAt(path, options)).rejects.toThrow(/testFraction: is for class folders without a test set/);
  });

  test('without testFraction other folders are not walked, and the message names it', async () => {
    await expect(readAt(await folderOf(await fabric()))).rejects.toThrow(/<class>\/<image>, with dataset.testFraction/);
    await expect(readAt(await temporaryFolder(), options)).rejects.toThrow(/there are no images/);
  });
});
