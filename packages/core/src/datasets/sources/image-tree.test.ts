import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { type Files, fileOf, folderOf, imageFiles, png, readAt, tarOf } from '../test-support.js';

const reds = (images: readonly number[], pixels = 4) => images.filter((_, i) => i % (3 * pixels) === 0);

describe('image folders', () => {
  test('classes are the folder names in order, images stand by class and name', async () => {
    const got = await readAt(await folderOf(await imageFiles()));
    expect(got.imageShape).toEqual([2, 2, 3]);
    expect(got.classNames).toEqual(['cat', 'dog']);
    expect(reds(got.train.images)).toEqual([10, 20, 30, 40]);
    expect(got.train.labels).toEqual([0, 0, 1, 1]);
    expect(reds(got.test.images)).toEqual([50, 60]);
    expect(got.test.labels).toEqual([0, 1]);
  });

  test('pixels come row by row with their channels together', async () => {
    const pixels = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18];
    const image = await sharp(Buffer.from(pixels), { raw: { width: 3, height: 2, channels: 3 } })
      .png()
      .toBuffer();
    const files = { 'train/a/1.png': image, 'train/b/1.png': image, 'test/a/1.png': image, 'test/b/1.png': image };
    const got = await readAt(await folderOf(files));
    expect(got.imageShape).toEqual([2, 3, 3]);
    expect(got.train.images).toEqual([...pixels, ...pixels]);
  });

  test('a tar of the folder, in any order, gives the same', async () => {
    const files = await imageFiles();
    const reversed = Object.fromEntries(Object.entries(files).reverse());
    const fromTar = await readAt(await fileOf('images.tar', tarOf(reversed)));
    expect(fromTar).toEqual(await readAt(await folderOf(files)));
  });

  test('images that are all grey get one channel', async () => {
    const files = Object.fromEntries(
      await Promise.all(Object.keys(await imageFiles()).map(async (path, i) => [path, await png([i, i, i])] as const)),
    );
    const got = await readAt(await folderOf(files));
    expect(got.imageShape).toEqual([2, 2, 1]);
    expect(got.test.images).toEqual([4, 4, 4, 4, 5, 5, 5, 5]);
  });

  test('one coloured image among grey ones keeps three channels', async () => {
    const grey = await png([7, 7, 7]);
    const files = { ...(await imageFiles()), 'train/cat/1.png': grey, 'test/cat/9.png': grey, 'test/dog/9.png': grey };
    expect((await readAt(await folderOf(files))).imageShape).toEqual([2, 2, 3]);
  });

  test('imageSize scales images of different sizes to one', async () => {
    const files = { ...(await imageFiles()), 'train/cat/1.png': await png([70, 0, 0], 6, 3) };
    const got = await readAt(await folderOf(files), { imageSize: 4 });
    expect(got.imageShape).toEqual([4, 4, 3]);
    expect(reds(got.train.images, 16)).toEqual([70, 20, 30, 40]);
  });

  test('hidden files and files beside train and test are left alone', async () => {
    const note = Buffer.from('cat dog');
    const files = { ...(await imageFiles()), 'labels.txt': note, 'train/.DS_Store': note, 'train/cat/._1.png': note };
    expect((await readAt(await folderOf(files))).train.labels).toEqual([0, 0, 1, 1]);
  });

  test('links are followed, and other folders are not looked into', async () => {
    const data = await folderOf(await imageFiles());
    const path = await folderOf({ 'other/notes.txt': Buffer.from('hello') });
    await symlink(join(data, 'train'), join(path, 'train'));
    await symlink(join(data, 'test'), join(path, 'test'));
    await symlink('nowhere', join(path, 'other/broken'));
    expect(await readAt(path)).toEqual(await readAt(data));
  });

  test('a file that cannot be read is refused', async () => {
    const path = await folderOf(await imageFiles());
    await symlink('nowhere', join(path, 'train/cat/3.png'));
    await expect(readAt(path)).rejects.toThrow(/cannot be read: .*train\/cat\/3.png/);
  });

  test('progress ends at the number of images', async () => {
    const seen: number[] = [];
    await readAt(await folderOf(await imageFiles()), { onProgress: ({ done, total }) => seen.push(done, total) });
    expect(seen.slice(-2)).toEqual([6, 6]);
  });

  test('an aborted signal stops the reading', async () => {
    const path = await folderOf(await imageFiles());
    await expect(readAt(path, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
  });

  const without = (files: Files, start: string) =>
    Object.fromEntries(Object.entries(files).filter(([path]) => !path.startsWith(start)));
  const notAnImage = Buffer.from('hello');

  test.each<[fault: string, change: (files: Files) => Files | Promise<Files>, message: RegExp]>([
    [
      'no test folder',
      (f) => without(f, 'test/'),
      /no class folders in test\/.*wants train\/<class>\/<image> and test/s,
    ],
    ['no train folder', (f) => without(f, 'train/'), /no class folders in train\//],
    ['a class without test images', (f) => without(f, 'test/dog/'), /class dog is missing in test\//],
    ['a class without training images', (f) => without(f, 'train/dog/'), /class dog is missing in train\//],
    [
      'a text among the images',
      (f) => ({ ...f, 'train/cat/notes.txt': notAnImage }),
      /train\/cat\/notes.txt is not an image/,
    ],
    [
      'a text that is named like an image',
      (f) => ({ ...f, 'train/cat/3.png': notAnImage }),
      /train\/cat\/3.png: cannot be decoded/,
    ],
    ['an empty image', (f) => ({ ...f, 'train/cat/3.png': Buffer.alloc(0) }), /train\/cat\/3.png: cannot be decoded/],
    ['an image outside the class folders', (f) => ({ ...f, 'train/1.png': notAnImage }), /train\/1.png stands outside/],
    [
      'a folder in a class folder',
      (f) => ({ ...f, 'train/cat/old/1.png': notAnImage }),
      /train\/cat\/old.* inside a class/,
    ],
    [
      'an image of another size',
      async (f) => ({ ...f, 'test/dog/9.png': await png([0, 0, 0], 2, 3) }),
      /test\/dog\/9.png is 2x3 \(height x width\), but .* is 2x2: .*dataset.imageSize/,
    ],
  ])('%s is refused, in a folder and in a tar', async (_fault, change, message) => {
    const files = await change(await imageFiles());
    for (const path of [await folderOf(files), await fileOf('images.tar', tarOf(files))]) {
      await expect(readAt(path)).rejects.toThrow(message);
      await expect(readAt(path)).rejects.toThrow(path);
      await expect(readAt(path)).rejects.toMatchObject({ name: 'InputError' });
    }
  });

  test('an empty class folder is refused by name', async () => {
    const path = await folderOf({
      ...(await imageFiles()),
      'train/eel/.keep': notAnImage,
      'test/eel/1.png': await png([1, 0, 0]),
    });
    await expect(readAt(path)).rejects.toThrow(/train\/eel has no images/);
  });

  test('a damaged JPEG is refused by name', async () => {
    const noise = Buffer.from(Array.from({ length: 32 * 32 * 3 }, (_, i) => (i * 7919) % 251));
    const jpeg = await sharp(noise, { raw: { width: 32, height: 32, channels: 3 } })
      .jpeg()
      .toBuffer();
    const files = { 'train/a/1.jpg': jpeg, 'train/b/1.jpg': jpeg, 'test/a/1.jpg': jpeg, 'test/b/1.jpg': jpeg };
    expect((await readAt(await folderOf(files))).imageShape).toEqual([32, 32, 3]);
    const halved = { ...files, 'test/a/1.jpg': jpeg.subarray(0, jpeg.length / 2) };
    await expect(readAt(await folderOf(halved))).rejects.toThrow(
      /test\/a\/1.jpg: cannot be decoded: it is cut short, damaged or no image/,
    );
  });
});
