import { expect, test } from 'vitest';
import { hash128 } from './hash128.js';

/** SMHasher's check: hash the keys [], [0], [0, 1] ... of 0 to 255 bytes with seeds 256 - length, then hash the hashes. */
function verificationValue(): number {
  const hashes = new DataView(new ArrayBuffer(16 * 256));
  for (let length = 0; length < 256; length++) {
    const key = Uint8Array.from({ length }, (_, i) => i);
    hash128(key, 256 - length).forEach((word, i) => {
      hashes.setInt32(16 * length + 4 * i, word, true);
    });
  }
  return hash128(new Uint8Array(hashes.buffer))[0] >>> 0;
}

test('hash128: gives the verification value that SMHasher publishes for MurmurHash3_x86_128', () => {
  expect(verificationValue()).toBe(0xb3ece62a);
});
