import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MaskLengthError } from '../errors.js';
import { cluster } from './clustering.js';
import { hammingDistances } from './hamming.js';
import { type Mask, maskFromString } from './individual.js';
import { LINKAGES } from './linkage.js';

const bit = fc.constantFrom<0 | 1>(0, 1);
const masksOf = (length: number) =>
  fc.array(fc.array(bit, { minLength: length, maxLength: length }), { minLength: 1, maxLength: 12 });
const masks = fc.integer({ min: 1, max: 100 }).chain(masksOf);
const differing = (a: Mask, b: Mask) => a.filter((x, i) => x !== b[i]).length;

test('hammingDistances: the square root of the number of differing bits, pair by pair, for 1 to 100 bits', () => {
  fc.assert(
    fc.property(masks, (pool) => {
      const expected = pool.flatMap((a, i) => pool.slice(i + 1).map((b) => Math.sqrt(differing(a, b))));
      expect([...hammingDistances(pool)]).toEqual(expected);
    }),
  );
});

test('hammingDistances: masks of different lengths are refused', () => {
  expect(() => hammingDistances([[1, 0], [1]])).toThrow(MaskLengthError);
});

test('cluster: exactly as many clusters as asked for, numbered as first met', () => {
  fc.assert(
    fc.property(masks, fc.nat(), fc.constantFrom(...LINKAGES), (pool, pick, linkage) => {
      const count = 1 + (pick % pool.length);
      const firstMet = [...new Set(cluster(pool, count, linkage))];
      expect(firstMet).toEqual([...Array(count).keys()]);
    }),
  );
});

test('cluster: equal masks share a cluster while there are no more clusters than different masks', () => {
  fc.assert(
    fc.property(masksOf(4), fc.nat(), fc.constantFrom(...LINKAGES), (pool, pick, linkage) => {
      const texts = pool.map((mask) => mask.join(''));
      const count = 1 + (pick % new Set(texts).size);
      const clusters = cluster(pool, count, linkage);
      texts.forEach((text, i) => {
        expect(clusters[i]).toBe(clusters[texts.indexOf(text)]);
      });
    }),
  );
});

test('cluster: average, single and complete linkage part one chain of masks differently', () => {
  // On a line: 0, 1, 3, 6, 10 ones, so neighbours are 1, 2, 3, 4 bits apart.
  const pool = [0, 1, 3, 6, 10].map((ones) => maskFromString('1'.repeat(ones).padEnd(10, '0')));
  expect([...cluster(pool, 2, 'single')]).toEqual([0, 0, 0, 0, 1]);
  expect([...cluster(pool, 2, 'average')]).toEqual([0, 0, 0, 1, 1]);
  expect([...cluster(pool, 2, 'complete')]).toEqual([0, 0, 0, 1, 1]);
});

test.each([0, 3, 1.5, Number.NaN])('cluster: 2 masks into %d clusters is refused', (count) => {
  expect(() => cluster([[1], [0]], count)).toThrow(`2 points fall into 1 to 2 clusters, not ${count}`);
});
