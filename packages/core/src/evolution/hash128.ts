/**
 * MurmurHash3, x86 variant with 128 bits of output (A. Appleby, public domain): spreads a label over a generator's
 * whole state. Not cryptographic. Written out here because a browser bundles `evolution` too and has no node:crypto.
 * @param bytes the message.
 * @returns the four int32 words h1..h4.
 */
export function hash128(bytes: Uint8Array, seed = 0): [number, number, number, number] {
  const words = littleEndianWords(bytes);
  const tail = 4 * (bytes.length >>> 4); // the first word after the whole 16-byte blocks
  let h1 = seed | 0;
  let h2 = h1;
  let h3 = h1;
  let h4 = h1;

  for (let i = 0; i < tail; i += 4) {
    h1 ^= scramble(words[i]!, C1, 15, C2);
    h1 = (Math.imul(rotl(h1, 19) + h2, 5) + 0x561ccd1b) | 0;
    h2 ^= scramble(words[i + 1]!, C2, 16, C3);
    h2 = (Math.imul(rotl(h2, 17) + h3, 5) + 0x0bcaa747) | 0;
    h3 ^= scramble(words[i + 2]!, C3, 17, C4);
    h3 = (Math.imul(rotl(h3, 15) + h4, 5) + 0x96cd1c35) | 0;
    h4 ^= scramble(words[i + 3]!, C4, 18, C1);
    h4 = (Math.imul(rotl(h4, 13) + h1, 5) + 0x32ac3b17) | 0;
  }
  h1 ^= scramble(words[tail]!, C1, 15, C2) ^ bytes.length;
  h2 ^= scramble(words[tail + 1]!, C2, 16, C3) ^ bytes.length;
  h3 ^= scramble(words[tail + 2]!, C3, 17, C4) ^ bytes.length;
  h4 ^= scramble(words[tail + 3]!, C4, 18, C1) ^ bytes.length;

  return stir(stir([h1, h2, h3, h4]).map(avalanche) as Words);
}

type Words = [number, number, number, number];

const C1 = 0x239b961b;
const C2 = 0xab0e9789;
const C3 = 0x38b34ae5;
const C4 = 0xa1e38b93;

/** Zero-padded by at least one byte, to whole 16-byte blocks. */
function littleEndianWords(bytes: Uint8Array): Int32Array {
  const words = new Int32Array(4 * ((bytes.length >>> 4) + 1));
  bytes.forEach((byte, i) => {
    words[i >> 2]! |= byte << (8 * (i & 3));
  });
  return words;
}

function rotl(x: number, bits: number): number {
  return (x << bits) | (x >>> (32 - bits));
}

function scramble(word: number, before: number, rotation: number, after: number): number {
  return Math.imul(rotl(Math.imul(word, before), rotation), after);
}

function stir([h1, h2, h3, h4]: Words): Words {
  const sum = (h1 + h2 + h3 + h4) | 0;
  return [sum, (h2 + sum) | 0, (h3 + sum) | 0, (h4 + sum) | 0];
}

function avalanche(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
