import { rngAt } from '../evolution/rng.js';
import type { Augmentation } from '../protocol/training-settings.js';

/** Names a stream of random draws: a run's seed, then what tells this training from others. */
export type StreamPath = readonly [seed: number, ...path: (string | number)[]];

/** Augmentation of one epoch of one training. */
export interface EpochAugmentation extends Augmentation {
  /** uint32; with an image's position it fixes that image's crop, flip and cutout, whatever batch the image comes in. */
  readonly key: number;
}

/** @returns undefined where nothing is to be done. */
export function epochAugmentation(
  settings: Augmentation,
  stream: StreamPath,
  epoch: number,
): EpochAugmentation | undefined {
  if (settings.padCrop === 0 && !settings.horizontalFlip && !settings.cutout) return undefined;
  return { ...settings, key: rngAt(...stream, 'augmentation', epoch).nextUint32() };
}

/**
 * The `draw`-th random number of an image under a key: a uint32. A hash instead of a generator: a batch needs hundreds, and
 * making a generator for each would cost more than the batch itself.
 */
export function imageDraw(key: number, image: number, draw: number): number {
  return mix(mix(key ^ Math.imul(image, 0x9e3779b1)) + Math.imul(draw + 1, 0x85ebca6b)) >>> 0;
}

/** An integer in [0, n) from a uint32, uneven by at most n / 2^32. */
export function scaleDraw(uint32: number, n: number): number {
  return Math.floor((uint32 * n) / 2 ** 32);
}

/** MurmurHash3's finaliser: a bijection in which every input bit reaches every output bit. */
function mix(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
