import { describe, expect, test } from 'vitest';
import { epochAugmentation, imageDraw, scaleDraw } from './augmentation.js';

/** Chi-squared statistic of counts against equal expectation. */
function chiSquared(counts: readonly number[]): number {
  const expected = counts.reduce((a, b) => a + b, 0) / counts.length;
  return counts.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0);
}

describe('imageDraw', () => {
  test('stays what saved runs were made with', () => {
    expect([imageDraw(1, 2, 0), imageDraw(1, 2, 1), imageDraw(2 ** 32 - 1, 59_999, 2)]).toEqual([
      1286915845, 3829806506, 1381682713,
    ]);
  });

  test('spreads images, keys and draws evenly', () => {
    const vary: [string, (i: number) => number][] = [
      ['images', (i) => imageDraw(12345, i, 0)],
      ['keys', (i) => imageDraw(i, 7, 0)],
      ['draws', (i) => imageDraw(12345, 7, i)],
    ];
    for (const [what, draw] of vary) {
      const counts = new Array<number>(64).fill(0);
      for (let i = 0; i < 64_000; i++) counts[scaleDraw(draw(i), 64)]!++;
      // 63 degrees of freedom: above 113 once in 10,000.
      expect(chiSquared(counts), what).toBeLessThan(113);
    }
  });

  test('the draws of one image are independent of one another', () => {
    const counts = new Array<number>(81).fill(0);
    for (let image = 0; image < 81_000; image++) {
      counts[9 * scaleDraw(imageDraw(99, image, 0), 9) + scaleDraw(imageDraw(99, image, 1), 9)]!++;
    }
    // 80 degrees of freedom.
    expect(chiSquared(counts)).toBeLessThan(135);
  });
});

test('scaleDraw: from 0 to n - 1', () => {
  expect([0, 2 ** 31, 2 ** 32 - 1].map((draw) => scaleDraw(draw, 9))).toEqual([0, 4, 8]);
});

describe('epochAugmentation', () => {
  const settings = { padCrop: 4, horizontalFlip: true };

  test('each training and each epoch has its own key, again and again the same', () => {
    const key = (path: string, epoch: number) => epochAugmentation(settings, [1, path], epoch)?.key;
    expect(key('a', 1)).toBe(key('a', 1));
    expect(new Set([key('a', 1), key('a', 2), key('b', 1), key('b', 2)]).size).toBe(4);
  });

  test('is nothing where crop and flip are off', () => {
    expect(epochAugmentation({ padCrop: 0, horizontalFlip: false }, [1], 1)).toBeUndefined();
  });
});
