import sharp from 'sharp';
import { expect, test } from 'vitest';
import { contactSheet } from './contact-sheet.js';
import type { Dataset, ImageShape } from './dataset.js';
import { inMemory } from './test-support.js';

/** Five images of two classes; every value of image i is 50 i. */
function dataset(imageShape: ImageShape, classNames = ['cat & <dog>', 'eel']): Dataset {
  const size = imageShape.reduce((a, b) => a * b);
  const images = Uint8Array.from({ length: 5 * size }, (_, i) => 50 * Math.floor(i / size));
  const part = { images: inMemory(images, size), labels: Uint8Array.of(0, 1, 0, 1, 1), count: 5 };
  return { name: 'toy', imageShape, classNames, mean: [0], std: [1], train: part, test: part, close: () => {} };
}

async function pixels(png: Buffer) {
  const { data, info } = await sharp(png).removeAlpha().raw().toBuffer({ resolveWithObject: true });
  return { at: (x: number, y: number) => [...data.subarray(3 * (y * info.width + x)).subarray(0, 3)], ...info };
}

test.each<[ImageShape]>([[[4, 4, 1]], [[4, 4, 3]], [[60, 50, 3]]])(
  'contactSheet: a row a class, its images in order (%j)',
  async (shape) => {
    const sheet = await pixels(await contactSheet(dataset(shape), 'train', 4));
    const factor = Math.max(1, Math.ceil(48 / Math.min(shape[0], shape[1])));
    const [tileHeight, tileWidth] = [shape[0] * factor, shape[1] * factor];
    const at = (row: number, column: number) =>
      sheet.at(
        220 + column * (tileWidth + 4) + Math.floor(tileWidth / 2),
        32 + row * (tileHeight + 4) + Math.floor(tileHeight / 2),
      )[0];
    expect([0, 1, 2, 3].map((column) => at(0, column))).toEqual([0, 100, 255, 255]);
    expect([0, 1, 2, 3].map((column) => at(1, column))).toEqual([50, 150, 200, 255]);
  },
);

test('contactSheet: labels are drawn, whatever characters they have', async () => {
  const names = (name: string) => dataset([4, 4, 1], [name, 'eel']);
  const one = await contactSheet(names('cat & <dog>\u0000"'), 'test', 2);
  const other = await contactSheet(names('another'), 'test', 2);
  expect(one.equals(other)).toBe(false);
});

test('contactSheet: of very many classes it shows the first 200', async () => {
  const many = dataset(
    [4, 4, 1],
    Array.from({ length: 300 }, (_, i) => String(i)),
  );
  expect((await pixels(await contactSheet(many, 'train', 1))).height).toBe(32 + 200 * 52 + 8);
});
