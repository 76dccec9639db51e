import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { apportion, partitionSizes } from './partition-sizes.js';

const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);

describe('apportion', () => {
  test('quotas are rounded down and what is left goes to the largest remainders', () => {
    // Quotas of 10: 5.0, 3.33, 1.67.
    expect(apportion([30, 20, 10], 10)).toEqual([5, 3, 2]);
  });

  test('a tie goes to the lower label', () => {
    expect(apportion([5, 5, 5, 5], 6)).toEqual([2, 2, 1, 1]);
  });

  test('totals are exact, shares stay within one of their quota and below their weight', () => {
    const weights = fc
      .array(fc.integer({ min: 0, max: 6000 }), { minLength: 1, maxLength: 20 })
      .filter((w) => sum(w) > 0);
    fc.assert(
      fc.property(weights, fc.double({ min: 0, max: 1, noNaN: true }), (w, share) => {
        const total = Math.round(share * sum(w));
        const shares = apportion(w, total);
        expect(sum(shares)).toBe(total);
        shares.forEach((n, label) => {
          expect(n).toBeLessThanOrEqual(w[label]!);
          expect(Math.abs(n - (total * w[label]!) / sum(w))).toBeLessThan(1);
        });
      }),
    );
  });
});

describe('partitionSizes', () => {
  const available = { train: [60, 30, 10], test: [6, 3, 1] };
  const names = ['cat', 'dog', 'eel'];
  const all = { trainImages: null, testImages: null, validationFraction: 0 };

  test('takes everything where nothing is asked', () => {
    expect(partitionSizes(available, all, names)).toEqual({
      train: [60, 30, 10],
      validation: [0, 0, 0],
      test: [6, 3, 1],
    });
  });

  test('trainImages covers training and validation together', () => {
    const sizes = partitionSizes(available, { trainImages: 50, testImages: 5, validationFraction: 0.2 }, names);
    expect(sizes).toEqual({ train: [24, 12, 4], validation: [6, 3, 1], test: [3, 2, 0] });
  });

  test.each([
    [{ trainImages: 101 }, 'dataset.trainImages: asks for 101 images, but the data set has 100 training images'],
    [{ testImages: 11 }, 'dataset.testImages: asks for 11 images, but the data set has 10 test images'],
    [{ trainImages: 4, validationFraction: 0.1 }, 'dataset.validationFraction: 0.1 of 4 images is none'],
    [{ trainImages: 4 }, 'dataset.trainImages: class eel would have no image to train on: it gives 0 of 4 images'],
    [
      { trainImages: 10, validationFraction: 0.9 },
      'class dog would have no image to train on: it gives 3 of 10 images, of which 3 validate',
    ],
  ])('%j is refused with the figures', (asked, message) => {
    expect(() => partitionSizes(available, { ...all, ...asked }, names)).toThrow(message);
  });
});
