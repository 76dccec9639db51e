import { describe, expect, test } from 'vitest';
import type { EpochAugmentation } from './augmentation.js';
import { type BatchSource, batchesOf, batchSource, checkBatchSize, epochOrder, fillBatch } from './batches.js';
import { type Dataset, imageSize } from './dataset.js';
import { inMemory, joined } from './test-support.js';

const [HEIGHT, WIDTH] = [4, 5];

/** `count` images of different bytes, none of them black. */
function dataset(channels: number, count = 6): Dataset {
  const images = Uint8Array.from({ length: count * HEIGHT * WIDTH * channels }, (_, i) => 1 + ((i * 37) % 255));
  const part = {
    images: inMemory(images, HEIGHT * WIDTH * channels),
    labels: Uint8Array.from({ length: count }, (_, i) => i % 3),
    count,
  };
  const mean = [0.5, 0.4, 0.3].slice(0, channels);
  const std = [0.25, 0.2, 0.5].slice(0, channels);
  return {
    name: 'toy',
    imageShape: [HEIGHT, WIDTH, channels],
    classNames: ['a', 'b', 'c'],
    mean,
    std,
    train: part,
    test: part,
    close: () => {},
  };
}

function fill(source: BatchSource, indices: number[], augmentation?: EpochAugmentation) {
  const size = imageSize(source.imageShape);
  const out = new Float32Array(indices.length * size).fill(Number.NaN);
  const labels = new Int32Array(indices.length).fill(-1);
  fillBatch(out, labels, source, Int32Array.from(indices), augmentation);
  return { images: indices.map((_, n) => out.slice(n * size, (n + 1) * size)), labels: [...labels] };
}

/** What torchvision would make of an image, pixel by pixel: pad with black, crop at (top, left), flip, normalise. */
function reference(data: Dataset, image: number, pad: number, top: number, left: number, flip: boolean): Float32Array {
  const channels = data.imageShape[2];
  const bytes = joined(data.train, HEIGHT * WIDTH * channels);
  const out = new Float32Array(HEIGHT * WIDTH * channels);
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const sourceY = y + top - pad;
      const sourceX = (flip ? WIDTH - 1 - x : x) + left - pad;
      const inside = sourceY >= 0 && sourceY < HEIGHT && sourceX >= 0 && sourceX < WIDTH;
      for (let c = 0; c < channels; c++) {
        const at = ((image * HEIGHT + sourceY) * WIDTH + sourceX) * channels + c;
        const byte = inside ? bytes[at]! : 0;
        out[(y * WIDTH + x) * channels + c] = (byte / 255 - data.mean[c]!) / data.std[c]!;
      }
    }
  }
  return out;
}

describe.each([1, 3])('fillBatch with %i channels', (channels) => {
  const data = dataset(channels);
  const source = batchSource(data, 'train');

  test('without augmentation gives normalised images and their labels in the order asked', () => {
    const { images, labels } = fill(source, [4, 0, 5]);
    expect(labels).toEqual([1, 0, 2]);
    [4, 0, 5].forEach((image, n) => {
      expect(images[n]).toEqual(reference(data, image, 0, 0, 0, false));
    });
  });

  test('every crop and flip is one that torchvision could draw, and all of them come', () => {
    const pad = 2;
    const met = new Set<string>();
    const candidates = Array.from(
      { length: 5 * 5 * 2 },
      (_, i) => [Math.floor(i / 10), Math.floor(i / 2) % 5, i % 2] as const,
    );
    const wanted = candidates.map(([top, left, flip]) => reference(data, 3, pad, top, left, flip === 1).join());
    for (let key = 0; key < 1000; key++) {
      const [image] = fill(source, [3], { padCrop: pad, horizontalFlip: true, key }).images;
      const text = image!.join();
      expect(wanted).toContain(text);
      met.add(text);
    }
    expect(met.size).toBe(new Set(wanted).size);
  });

  test('flip alone mirrors about half of the images and crops none', () => {
    const [plain, mirrored] = [reference(data, 2, 0, 0, 0, false), reference(data, 2, 0, 0, 0, true)];
    let flips = 0;
    for (let key = 0; key < 1000; key++) {
      const [image] = fill(source, [2], { padCrop: 0, horizontalFlip: true, key }).images;
      if (image!.join() === mirrored.join()) flips++;
      else expect(image).toEqual(plain);
    }
    expect(flips).toBeGreaterThan(430);
    expect(flips).toBeLessThan(570);
  });

  test('an image is augmented alike in whatever batch it comes', () => {
    const augmentation = { padCrop: 2, horizontalFlip: true, key: 77 };
    const together = fill(source, [0, 1, 2, 3, 4, 5], augmentation).images;
    const apart = [5, 3, 1].map((image) => fill(source, [image], augmentation).images[0]);
    expect(apart).toEqual([together[5], together[3], together[1]]);
  });
});

describe('fillBatch', () => {
  const source = batchSource(dataset(3), 'test');

  test('room of another size is refused', () => {
    expect(() => fillBatch(new Float32Array(59), new Int32Array(1), source, Int32Array.of(0))).toThrow(
      /needs 60 values/,
    );
    expect(() => fillBatch(new Float32Array(60), new Int32Array(2), source, Int32Array.of(0))).toThrow(/1 labels/);
  });

  test('an image that does not exist is refused', () => {
    expect(() => fill(source, [6])).toThrow('there is no image 6: the set has 6');
  });

  test('a channel that never changes stays finite', () => {
    const flat = { ...dataset(1), std: [0] };
    expect(fill(batchSource(flat, 'train'), [0]).images[0]!.every(Number.isFinite)).toBe(true);
  });
});

describe('epochOrder', () => {
  const indices = Int32Array.from({ length: 50 }, (_, i) => 2 * i);

  test('is a permutation that leaves the indices as they were', () => {
    const order = epochOrder(indices, [1, 'alpha'], 1);
    expect(order.slice().sort()).toEqual(indices);
    expect(indices[1]).toBe(2);
    expect(order).not.toEqual(indices);
  });

  test('depends on stream and epoch alone', () => {
    expect(epochOrder(indices, [1, 'alpha'], 1)).toEqual(epochOrder(indices, [1, 'alpha'], 1));
    expect(epochOrder(indices, [1, 'alpha'], 2)).not.toEqual(epochOrder(indices, [1, 'alpha'], 1));
    expect(epochOrder(indices, [2, 'alpha'], 1)).not.toEqual(epochOrder(indices, [1, 'alpha'], 1));
  });
});

test('batchesOf: the last batch has what is left', () => {
  const batches = [...batchesOf(Int32Array.of(1, 2, 3, 4, 5), 2)];
  expect(batches.map((batch) => [...batch])).toEqual([[1, 2], [3, 4], [5]]);
});

test('checkBatchSize: a batch larger than the training images is refused with both figures', () => {
  expect(() => checkBatchSize(128, 127)).toThrow(/a batch of 128 images cannot be filled: there are 127/);
  expect(() => checkBatchSize(128, 128)).not.toThrow();
});
