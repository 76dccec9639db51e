import { floats, vectorPart } from './lanes';

/**
 * dL/dx of a convolution is, for each phase (position of a row or column of x modulo the stride), a stride-1
 * convolution of dy with the taps that meet that phase. These two prepare such a kernel and put the result in place.
 */

/**
 * The taps `fromY + stride i`, `fromX + stride j` of kernel `[kh, kw, cIn, cOut]`, in reverse order and with the
 * channels swapped: `[ny, nx, cOut, cIn]`.
 */
export function reverseTaps(
  kernel: usize,
  out: usize,
  kw: i32,
  cIn: i32,
  cOut: i32,
  stride: i32,
  fromY: i32,
  fromX: i32,
  ny: i32,
  nx: i32,
): void {
  for (let i = 0; i < ny; i++) {
    for (let j = 0; j < nx; j++) {
      const tap = (fromY + stride * (ny - 1 - i)) * kw + fromX + stride * (nx - 1 - j);
      const from = kernel + floats(tap * cIn * cOut);
      const to = out + floats((i * nx + j) * cIn * cOut);
      for (let a = 0; a < cIn; a++) {
        for (let b = 0; b < cOut; b++) store<f32>(to + floats(b * cIn + a), load<f32>(from + floats(a * cOut + b)));
      }
    }
  }
}

/**
 * Copies `[n, sh, sw, channels]` from row `skipY`, column `skipX` on into rows `fromY + stride i`, columns
 * `fromX + stride j` of `[n, h, w, channels]`.
 */
export function spreadPhase(
  src: usize,
  dst: usize,
  n: i32,
  sh: i32,
  sw: i32,
  h: i32,
  w: i32,
  channels: i32,
  stride: i32,
  fromY: i32,
  fromX: i32,
  skipY: i32,
  skipX: i32,
): void {
  const pixel = floats(channels);
  for (let image = 0; image < n; image++) {
    for (let y = fromY, i = skipY; y < h; y += stride, i++) {
      let from = src + floats(((image * sh + i) * sw + skipX) * channels);
      for (let x = fromX; x < w; x += stride) {
        const to = dst + floats(((image * h + y) * w + x) * channels);
        copyRange<v128>(from, to, 0, vectorPart(channels));
        copyRange<f32>(from, to, vectorPart(channels), channels);
        from += pixel;
      }
    }
  }
}

function copyRange<V>(from: usize, to: usize, c0: i32, c1: i32): void {
  for (let c = c0; c < c1; c += sizeof<V>() >> 2) store<V>(to + floats(c), load<V>(from + floats(c)));
}
