import { floats } from './lanes';

/**
 * dL/dkernel of a convolution. For each tap (ky, kx) it is the matrix product
 * `x(shifted by the tap)^T dy`, `[cIn, positions] [positions, cOut]`, summed over all output positions of all images.
 *
 * A few images at a time are packed into panels that fit the nearest caches and are read in order: x into panels of
 * four input channels with the zero padding written out, dy into panels of eight output channels. `tile` then keeps a
 * 4 x 8 piece of one tap's gradient in eight registers while it passes over the positions.
 */
const X_LANES = 4;
const DY_LANES = 8;
const TILE_BYTES = X_LANES * DY_LANES * 4;

/**
 * @param x `[n, h, w, cIn]`
 * @param dy `[n, ho, wo, cOut]`
 * @param out `[kh, kw, cIn, cOut]`
 * @param scratch `convGradKernelScratch` bytes
 * @param chunk images packed at a time
 */
export function convGradKernel(
  x: usize,
  dy: usize,
  out: usize,
  scratch: usize,
  n: i32,
  h: i32,
  w: i32,
  cIn: i32,
  ho: i32,
  wo: i32,
  cOut: i32,
  kh: i32,
  kw: i32,
  stride: i32,
  padding: i32,
  chunk: i32,
): void {
  const xPanels = panels(cIn, X_LANES);
  const dyPanels = panels(cOut, DY_LANES);
  const hp = h + 2 * padding;
  const wp = w + 2 * padding;
  const tilesBytes = kh * kw * xPanels * dyPanels * TILE_BYTES;
  const packedX = scratch + tilesBytes;
  const packedDy = packedX + floats(xPanels * chunk * hp * wp * X_LANES);
  memory.fill(scratch, 0, tilesBytes);
  for (let image = 0; image < n; image += chunk) {
    const images = min(chunk, n - image);
    pack(x + floats(image * h * w * cIn), packedX, images, h, w, cIn, padding, X_LANES);
    pack(dy + floats(image * ho * wo * cOut), packedDy, images, ho, wo, cOut, 0, DY_LANES);
    for (let q = 0; q < dyPanels; q++) {
      const dyPanel = packedDy + floats(q * images * ho * wo * DY_LANES);
      for (let p = 0; p < xPanels; p++) {
        const xPanel = packedX + floats(p * images * hp * wp * X_LANES);
        for (let ky = 0; ky < kh; ky++) {
          for (let kx = 0; kx < kw; kx++) {
            const at = scratch + (((ky * kw + kx) * xPanels + p) * dyPanels + q) * TILE_BYTES;
            tile(xPanel + floats((ky * wp + kx) * X_LANES), dyPanel, at, images, ho, wo, hp, wp, stride);
          }
        }
      }
    }
  }
  unpack(scratch, out, kh * kw, cIn, cOut);
}

/** Bytes of scratch that `convGradKernel` needs. */
export function convGradKernelScratch(
  h: i32,
  w: i32,
  cIn: i32,
  ho: i32,
  wo: i32,
  cOut: i32,
  kh: i32,
  kw: i32,
  padding: i32,
  chunk: i32,
): usize {
  const xPanels = panels(cIn, X_LANES);
  const dyPanels = panels(cOut, DY_LANES);
  return (
    <usize>(kh * kw * xPanels * dyPanels * TILE_BYTES) +
    floats(xPanels * chunk * (h + 2 * padding) * (w + 2 * padding) * X_LANES) +
    floats(dyPanels * chunk * ho * wo * DY_LANES)
  );
}

function panels(channels: i32, lanes: i32): i32 {
  return (channels + lanes - 1) / lanes;
}

/** `[n, h, w, channels]` -> `[panels, n, h + 2 padding, w + 2 padding, lanes]`, zeros around and beyond the channels. */
function pack(src: usize, dst: usize, n: i32, h: i32, w: i32, channels: i32, padding: i32, lanes: i32): void {
  const hp = h + 2 * padding;
  const wp = w + 2 * padding;
  const count = panels(channels, lanes);
  const panelBytes = floats(n * hp * wp * lanes);
  memory.fill(dst, 0, <usize>count * panelBytes);
  for (let p = 0; p < count; p++) {
    const width = min(lanes, channels - p * lanes);
    for (let image = 0; image < n; image++) {
      for (let y = 0; y < h; y++) {
        let from = src + floats((image * h + y) * w * channels + p * lanes);
        let to = dst + <usize>p * panelBytes + floats(((image * hp + y + padding) * wp + padding) * lanes);
        for (let px = 0; px < w; px++) {
          if (width < lanes) {
            for (let c = 0; c < width; c++) store<f32>(to + floats(c), load<f32>(from + floats(c)));
          } else {
            v128.store(to, v128.load(from));
            if (lanes === DY_LANES) v128.store(to, v128.load(from, 16), 16);
          }
          from += floats(channels);
          to += floats(lanes);
        }
      }
    }
  }
}

/** Adds one chunk's share to the 4 x 8 tile at `out`: rows are input channels, columns output channels. */
function tile(x: usize, dy: usize, out: usize, n: i32, ho: i32, wo: i32, hp: i32, wp: i32, stride: i32): void {
  let c00 = f32x4.splat(0);
  let c01 = c00;
  let c10 = c00;
  let c11 = c00;
  let c20 = c00;
  let c21 = c00;
  let c30 = c00;
  let c31 = c00;
  const step = floats(stride * X_LANES);
  for (let image = 0; image < n; image++) {
    for (let y = 0; y < ho; y++) {
      let at = x + floats((image * hp + y * stride) * wp * X_LANES);
      const rowEnd = dy + floats(wo * DY_LANES);
      while (dy < rowEnd) {
        const d0 = v128.load(dy);
        const d1 = v128.load(dy, 16);
        let a = v128.load32_splat(at);
        c00 = f32x4.add(c00, f32x4.mul(a, d0));
        c01 = f32x4.add(c01, f32x4.mul(a, d1));
        a = v128.load32_splat(at, 4);
        c10 = f32x4.add(c10, f32x4.mul(a, d0));
        c11 = f32x4.add(c11, f32x4.mul(a, d1));
        a = v128.load32_splat(at, 8);
        c20 = f32x4.add(c20, f32x4.mul(a, d0));
        c21 = f32x4.add(c21, f32x4.mul(a, d1));
        a = v128.load32_splat(at, 12);
        c30 = f32x4.add(c30, f32x4.mul(a, d0));
        c31 = f32x4.add(c31, f32x4.mul(a, d1));
        at += step;
        dy += floats(DY_LANES);
      }
    }
  }
  addTo(out, c00);
  addTo(out + 16, c01);
  addTo(out + 32, c10);
  addTo(out + 48, c11);
  addTo(out + 64, c20);
  addTo(out + 80, c21);
  addTo(out + 96, c30);
  addTo(out + 112, c31);
}

function addTo(at: usize, value: v128): void {
  v128.store(at, f32x4.add(v128.load(at), value));
}

/** Tiles -> `[taps, cIn, cOut]`. */
function unpack(tiles: usize, out: usize, taps: i32, cIn: i32, cOut: i32): void {
  const xPanels = panels(cIn, X_LANES);
  const dyPanels = panels(cOut, DY_LANES);
  for (let tap = 0; tap < taps; tap++) {
    for (let i = 0; i < cIn; i++) {
      for (let o = 0; o < cOut; o++) {
        const at = tiles + ((tap * xPanels + i / X_LANES) * dyPanels + o / DY_LANES) * TILE_BYTES;
        const value = load<f32>(at + floats((i % X_LANES) * DY_LANES + (o % DY_LANES)));
        store<f32>(out + floats((tap * cIn + i) * cOut + o), value);
      }
    }
  }
}
