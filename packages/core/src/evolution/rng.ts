import { xoroshiro128plusFromState } from 'pure-rand/generator/xoroshiro128plus';
import { hash128 } from './hash128.js';

/**
 * The random stream named by a path: `rngAt(runSeed, 'generation', 3)`. The same path always gives the same stream,
 * on any machine; different paths give independent ones, so no draw depends on how much another part has drawn.
 *
 * The state of the generator is `hash128` of the path as JSON in UTF-8 (`[1,"generation",3]`): JSON keeps the number 3
 * apart from the string '3', and ('ab', 'c') from ('a', 'bc').
 * @throws RangeError for NaN or an infinity, which JSON cannot tell apart.
 */
export function rngAt(seed: number, ...path: readonly (string | number)[]): Rng {
  const label = [seed, ...path];
  for (const part of label) {
    if (typeof part === 'number' && !Number.isFinite(part)) {
      throw new RangeError(
        `a random stream is named by finite numbers and strings, got ${part} in [${label.join(', ')}]`,
      );
    }
  }
  return new Rng(hash128(new TextEncoder().encode(JSON.stringify(label))));
}

/**
 * Draws from one stream of xoroshiro128+ (pure-rand). Each draw advances it. The low bits of this generator are its
 * weak ones, so every method takes the high bits of a word.
 */
export class Rng {
  readonly #generator;
  /** The second normal of the last pair, NaN when there is none. */
  #spareNormal = Number.NaN;

  /** @param state 128 bits as four int32 words, not all zero. */
  constructor(state: readonly [number, number, number, number]) {
    this.#generator = xoroshiro128plusFromState(state);
  }

  /** An integer in [0, 2^32). */
  nextUint32(): number {
    return this.#generator.next() >>> 0;
  }

  /** A multiple of 2^-53 in [0, 1). */
  uniform(): number {
    const high = this.#generator.next() >>> 5; // 27 bits
    const low = this.#generator.next() >>> 6; // 26 bits
    return (high * 2 ** 26 + low) * 2 ** -53;
  }

  /** An integer in [0, n), without bias. @throws RangeError unless n is an integer in [1, 2^32]. */
  below(n: number): number {
    if (!Number.isInteger(n) || n < 1 || n > 2 ** 32)
      throw new RangeError(`below(n) wants an integer n in [1, 2^32], got ${n}`);
    const bucket = Math.floor(2 ** 32 / n);
    for (;;) {
      const value = Math.floor(this.nextUint32() / bucket);
      if (value < n) return value; // else in the remainder that fills no bucket: draw again
    }
  }

  /** 1 with probability p. p = 0 and p = 1 are certain. */
  bit(p: number): 0 | 1 {
    return this.uniform() < p ? 1 : 0;
  }

  /**
   * A standard normal, by Marsaglia's polar method, which needs log and sqrt alone: sqrt is exact, and log is one
   * function fewer than Box-Muller's whose last bit could depend on the engine (a pinned test watches it).
   */
  normal(): number {
    if (!Number.isNaN(this.#spareNormal)) {
      const spare = this.#spareNormal;
      this.#spareNormal = Number.NaN;
      return spare;
    }
    for (;;) {
      const u = 2 * this.uniform() - 1;
      const v = 2 * this.uniform() - 1;
      const s = u * u + v * v;
      if (s >= 1 || s === 0) continue;
      const scale = Math.sqrt((-2 * Math.log(s)) / s);
      this.#spareNormal = v * scale;
      return u * scale;
    }
  }

  /** Fills `out` with normals of mean 0 and standard deviation `std`, as successive `normal()` calls would. @returns out. */
  fillNormal(out: Float32Array, std: number): Float32Array {
    for (let i = 0; i < out.length; i++) out[i] = std * this.normal();
    return out;
  }

  /** Permutes in place (Fisher-Yates), every order equally likely. @returns the same array. */
  shuffle<A extends { readonly length: number; [index: number]: unknown }>(items: A): A {
    const slots: { [index: number]: unknown } = items;
    for (let i = items.length - 1; i > 0; i--) {
      const j = this.below(i + 1);
      const item = slots[i];
      slots[i] = slots[j];
      slots[j] = item;
    }
    return items;
  }
}
