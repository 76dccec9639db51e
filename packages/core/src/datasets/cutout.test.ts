import { describe, expect, test } from 'vitest';
import { epochAugmentation } from './augmentation.js';
import { batchSource, fillBatch } from './batches.js';
import type { Dataset, ImageShape } from './dataset.js';
import { inMemory } from './test-support.js';

const SHAPE: ImageShape = [4, 5, 3];
const SIZE = 4 * 5 * 3;

/** Three images without a value that normalises to 0. */
const source = (() => {
  const images = inMemory(
    Uint8Array.from({ length: 3 * SIZE }, (_, i) => 200 + (i % 50)),
    SIZE,
  );
  const part = { images, labels: Uint8Array.of(0, 1, 0), count: 3 };
  const dataset: Dataset = {
    name: 'toy',
    imageShape: SHAPE,
    classNames: ['a', 'b'],
    mean: [0.5, 0.4, 0.3],
    std: [0.2, 0.2, 0.2],
    train: part,
    test: part,
    close: () => {},
  };
  return batchSource(dataset, 'train');
})();

function fill(indices: number[], augmentation: Parameters<typeof fillBatch>[4]): string[] {
  const out = new Float32Array(indices.length * SIZE);
  fillBatch(out, new Int32Array(indices.length), source, Int32Array.from(indices), augmentation);
  return indices.map((_, n) => out.slice(n * SIZE, (n + 1) * SIZE).join());
}

/** What the authors' code makes of image 0: numpy's clip on all four sides of a square around (y, x), times a mask of zeros. */
function reference(side: number, y: number, x: number): string {
  const clip = (value: number, most: number) => Math.min(Math.max(value, 0), most);
  const half = Math.floor(side / 2);
  const [y1, y2] = [clip(y - half, 4), clip(y + half, 4)];
  const [x1, x2] = [clip(x - half, 5), clip(x + half, 5)];
  const plain = fill([0], undefined)[0]!.split(',').map(Number);
  return plain
    .map((value, i) => {
      const [row, column] = [Math.floor(i / 15), Math.floor(i / 3) % 5];
      return row >= y1 && row < y2 && column >= x1 && column < x2 ? 0 : value;
    })
    .join();
}

const none = { padCrop: 0, horizontalFlip: false };

describe('cutout', () => {
  test.each([2, 4])('every square of side %i is one that the authors could draw, and all of them come', (cutout) => {
    const wanted = Array.from({ length: 20 }, (_, i) => reference(cutout, Math.floor(i / 5), i % 5));
    const met = new Set<string>();
    for (let key = 0; key < 1000; key++) {
      const [image] = fill([0], { ...none, cutout, key });
      expect(wanted).toContain(image);
      met.add(image!);
    }
    expect(met.size).toBe(new Set(wanted).size);
  });

  test('an odd side is kept: a square of 1 blanks one pixel in all channels', () => {
    for (let key = 0; key < 50; key++) {
      const [image] = fill([1], { ...none, cutout: 1, key });
      expect(image!.split(',').filter((value) => Number(value) === 0).length).toBe(3);
    }
  });

  test('an image is cut alike in whatever batch it comes, and crop and flip do not change the square', () => {
    const augmentation = { padCrop: 2, horizontalFlip: true, cutout: 2, key: 77 };
    const [first, second, third] = fill([0, 1, 2], augmentation);
    expect(fill([2, 0], augmentation)).toEqual([third, first]);
    expect(fill([1], augmentation)).toEqual([second]);
    const zeros = (image: string | undefined) =>
      image!.split(',').flatMap((value, i) => (Number(value) === 0 ? [i] : []));
    expect(zeros(first)).toEqual(zeros(fill([0], { ...none, cutout: 2, key: 77 })[0]));
  });

  test('changes with the epoch, and is there where nothing else is', () => {
    const epoch = (n: number) => epochAugmentation({ ...none, cutout: 2 }, [1, 'alpha'], n);
    expect(fill([0, 1, 2], epoch(1))).not.toEqual(fill([0, 1, 2], epoch(2)));
    expect(epochAugmentation({ ...none, cutout: 0 }, [1, 'alpha'], 1)).toBeUndefined();
  });
});
