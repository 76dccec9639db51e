import { add, fill, floats, mul, vectorPart } from './lanes';

/** Mean over the pixels of x `[images, pixels, channels]` -> `[images, channels]`. */
export function globalAvgPool(x: usize, out: usize, images: i32, pixels: i32, channels: i32): void {
  for (let i = 0; i < images; i++) {
    const from = x + floats(i * pixels * channels);
    const to = out + floats(i * channels);
    poolImage<v128>(from, to, pixels, channels, 0, vectorPart(channels));
    poolImage<f32>(from, to, pixels, channels, vectorPart(channels), channels);
  }
}

/** dy `[images, channels]` -> `[images, pixels, channels]`. */
export function globalAvgPoolGrad(dy: usize, out: usize, images: i32, pixels: i32, channels: i32): void {
  for (let i = 0; i < images; i++) {
    const from = dy + floats(i * channels);
    const to = out + floats(i * pixels * channels);
    spreadImage<v128>(from, to, pixels, channels, 0, vectorPart(channels));
    spreadImage<f32>(from, to, pixels, channels, vectorPart(channels), channels);
  }
}

function poolImage<V>(x: usize, out: usize, pixels: i32, channels: i32, c0: i32, c1: i32): void {
  const share = fill<V>(<f32>1 / <f32>pixels);
  for (let c = c0; c < c1; c += sizeof<V>() >> 2) {
    let sum = fill<V>(0);
    for (let p = 0; p < pixels; p++) sum = add<V>(sum, load<V>(x + floats(p * channels + c)));
    store<V>(out + floats(c), mul<V>(sum, share));
  }
}

function spreadImage<V>(dy: usize, out: usize, pixels: i32, channels: i32, c0: i32, c1: i32): void {
  const share = fill<V>(<f32>1 / <f32>pixels);
  for (let c = c0; c < c1; c += sizeof<V>() >> 2) {
    const g = mul<V>(load<V>(dy + floats(c)), share);
    for (let p = 0; p < pixels; p++) store<V>(out + floats(p * channels + c), g);
  }
}
