import { MaskLengthError } from '../errors.js';
import type { Mask } from './individual.js';

/**
 * Eq. 7: the Euclidean distance between each two bit strings, the square root of the number of bits that differ.
 * @param masks n masks of one length.
 * @returns condensed, `[n (n - 1) / 2]`, as SciPy's pdist lays it out: (0, 1), (0, 2) ... (0, n - 1), (1, 2) ...
 * @throws MaskLengthError when a mask is not as long as the first.
 */
export function hammingDistances(masks: readonly Mask[]): Float64Array {
  const n = masks.length;
  const distanceOf = hammingDistance(masks);
  const distances = new Float64Array((n * (n - 1)) / 2);
  let at = 0;
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) distances[at++] = distanceOf(i, j);
  }
  return distances;
}

/** Eq. 7 of masks i and j. @throws MaskLengthError when a mask is not as long as the first. */
export function hammingDistance(masks: readonly Mask[]): (i: number, j: number) => number {
  const length = masks[0]?.length ?? 0;
  const width = Math.ceil(length / 32); // words a mask
  const words = pack(masks, length, width);
  const roots = Float64Array.from({ length: length + 1 }, (_, bits) => Math.sqrt(bits));
  return (i, j) => {
    let differing = 0;
    for (let w = 0; w < width; w++) differing += popcount(words[i * width + w]! ^ words[j * width + w]!);
    return roots[differing]!;
  };
}

/** @returns `[masks.length * width]`, 32 bits of a mask in each word. */
function pack(masks: readonly Mask[], length: number, width: number): Int32Array {
  const words = new Int32Array(masks.length * width);
  masks.forEach((mask, i) => {
    if (mask.length !== length) throw new MaskLengthError(mask.length, length);
    mask.forEach((bit, b) => {
      words[i * width + (b >> 5)]! |= bit << (b & 31);
    });
  });
  return words;
}

/** How many of 32 bits are 1: adds neighbouring bits, then pairs, then nibbles, then all four bytes by one product. */
function popcount(word: number): number {
  const pairs = word - ((word >>> 1) & 0x55555555);
  const nibbles = (pairs & 0x33333333) + ((pairs >>> 2) & 0x33333333);
  return Math.imul((nibbles + (nibbles >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
