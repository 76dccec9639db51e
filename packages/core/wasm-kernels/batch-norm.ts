import { accumulate, add, fill, floats, mul, relu, sub, vectorPart, where } from './lanes';

/**
 * Batch normalisation of x `[rows, channels]`, rows = N H W. Every pointer is to float32, except `sums`, which is room
 * for 2 * channels doubles. Sums run in float32 over a block of rows and in float64 over the blocks.
 */
const BLOCK = 64;

/** `mean` and the biased `variance` of each channel, in two passes: the one-pass formula cancels. */
export function moments(x: usize, rows: i32, channels: i32, mean: usize, variance: usize, sums: usize): void {
  memory.fill(sums, 0, floats(4 * channels));
  for (let from = 0; from < rows; from += BLOCK) {
    const to = min(from + BLOCK, rows);
    sumRows<v128>(x, from, to, channels, 0, vectorPart(channels), sums);
    sumRows<f32>(x, from, to, channels, vectorPart(channels), channels, sums);
  }
  divideAll(mean, sums, channels, rows);
  memory.fill(sums, 0, floats(2 * channels));
  for (let from = 0; from < rows; from += BLOCK) {
    const to = min(from + BLOCK, rows);
    sumSquares<v128>(x, from, to, channels, 0, vectorPart(channels), mean, sums);
    sumSquares<f32>(x, from, to, channels, vectorPart(channels), channels, mean, sums);
  }
  divideAll(variance, sums, channels, rows);
}

/** The sum of each channel of x `[rows, channels]`. */
export function columnSums(x: usize, rows: i32, channels: i32, out: usize, sums: usize): void {
  memory.fill(sums, 0, floats(2 * channels));
  for (let from = 0; from < rows; from += BLOCK) {
    const to = min(from + BLOCK, rows);
    sumRows<v128>(x, from, to, channels, 0, vectorPart(channels), sums);
    sumRows<f32>(x, from, to, channels, vectorPart(channels), channels, sums);
  }
  divideAll(out, sums, channels, 1);
}

/** `y = (x - mean) factor + offset`, then ReLU where `rectify`. */
export function normalise(
  x: usize,
  y: usize,
  rows: i32,
  channels: i32,
  mean: usize,
  factor: usize,
  offset: usize,
  rectify: bool,
): void {
  for (let row = 0; row < rows; row++) {
    const at = floats(row * channels);
    normaliseRow<v128>(x + at, y + at, 0, vectorPart(channels), mean, factor, offset, rectify);
    normaliseRow<f32>(x + at, y + at, vectorPart(channels), channels, mean, factor, offset, rectify);
  }
}

/**
 * With g = dy, or dy where y > 0 if `rectify`: `dOffset = sum g`, `dScale = sum g (x - mean) inverse`, where `inverse`
 * is 1 / the standard deviation.
 */
export function normGradSums(
  dy: usize,
  x: usize,
  y: usize,
  rows: i32,
  channels: i32,
  mean: usize,
  inverse: usize,
  dScale: usize,
  dOffset: usize,
  sums: usize,
  rectify: bool,
): void {
  memory.fill(sums, 0, floats(4 * channels));
  for (let from = 0; from < rows; from += BLOCK) {
    const to = min(from + BLOCK, rows);
    sumGrads<v128>(dy, x, y, from, to, channels, 0, vectorPart(channels), mean, sums, rectify);
    sumGrads<f32>(dy, x, y, from, to, channels, vectorPart(channels), channels, mean, sums, rectify);
  }
  divideAll(dOffset, sums, channels, 1);
  for (let c = 0; c < channels; c++) {
    const sum = load<f64>(sums + ((<usize>(channels + c)) << 3));
    store<f32>(dScale + floats(c), <f32>(sum * <f64>load<f32>(inverse + floats(c))));
  }
}

/** `dx = factor (g - meanGrad - (x - mean) slope)`, g as in `normGradSums`. */
export function normGradInput(
  dy: usize,
  x: usize,
  y: usize,
  dx: usize,
  rows: i32,
  channels: i32,
  mean: usize,
  factor: usize,
  meanGrad: usize,
  slope: usize,
  rectify: bool,
): void {
  for (let row = 0; row < rows; row++) {
    const at = floats(row * channels);
    gradRow<v128>(dy + at, x + at, y + at, dx + at, 0, vectorPart(channels), mean, factor, meanGrad, slope, rectify);
    gradRow<f32>(
      dy + at,
      x + at,
      y + at,
      dx + at,
      vectorPart(channels),
      channels,
      mean,
      factor,
      meanGrad,
      slope,
      rectify,
    );
  }
}

function divideAll(out: usize, sums: usize, channels: i32, by: i32): void {
  for (let c = 0; c < channels; c++) store<f32>(out + floats(c), <f32>(load<f64>(sums + ((<usize>c) << 3)) / <f64>by));
}

function sumRows<V>(x: usize, from: i32, to: i32, channels: i32, c0: i32, c1: i32, sums: usize): void {
  const step = floats(channels);
  for (let c = c0; c < c1; c += sizeof<V>() >> 2) {
    let sum = fill<V>(0);
    let at = x + floats(from * channels + c);
    for (let row = from; row < to; row++) {
      sum = add<V>(sum, load<V>(at));
      at += step;
    }
    accumulate<V>(sums + ((<usize>c) << 3), sum);
  }
}

function sumSquares<V>(x: usize, from: i32, to: i32, channels: i32, c0: i32, c1: i32, mean: usize, sums: usize): void {
  const step = floats(channels);
  for (let c = c0; c < c1; c += sizeof<V>() >> 2) {
    const m = load<V>(mean + floats(c));
    let sum = fill<V>(0);
    let at = x + floats(from * channels + c);
    for (let row = from; row < to; row++) {
      const d = sub<V>(load<V>(at), m);
      sum = add<V>(sum, mul<V>(d, d));
      at += step;
    }
    accumulate<V>(sums + ((<usize>c) << 3), sum);
  }
}

function sumGrads<V>(
  dy: usize,
  x: usize,
  y: usize,
  from: i32,
  to: i32,
  channels: i32,
  c0: i32,
  c1: i32,
  mean: usize,
  sums: usize,
  rectify: bool,
): void {
  const step = floats(channels);
  for (let c = c0; c < c1; c += sizeof<V>() >> 2) {
    const m = load<V>(mean + floats(c));
    let sum = fill<V>(0);
    let moment = fill<V>(0);
    let at = floats(from * channels + c);
    for (let row = from; row < to; row++) {
      let g = load<V>(dy + at);
      if (rectify) g = where<V>(load<V>(y + at), g);
      sum = add<V>(sum, g);
      moment = add<V>(moment, mul<V>(g, sub<V>(load<V>(x + at), m)));
      at += step;
    }
    accumulate<V>(sums + ((<usize>c) << 3), sum);
    accumulate<V>(sums + ((<usize>(channels + c)) << 3), moment);
  }
}

function normaliseRow<V>(
  x: usize,
  y: usize,
  c0: i32,
  c1: i32,
  mean: usize,
  factor: usize,
  offset: usize,
  rectify: bool,
): void {
  for (let c = c0; c < c1; c += sizeof<V>() >> 2) {
    const at = floats(c);
    let v = sub<V>(load<V>(x + at), load<V>(mean + at));
    v = add<V>(mul<V>(v, load<V>(factor + at)), load<V>(offset + at));
    store<V>(y + at, rectify ? relu<V>(v) : v);
  }
}

function gradRow<V>(
  dy: usize,
  x: usize,
  y: usize,
  dx: usize,
  c0: i32,
  c1: i32,
  mean: usize,
  factor: usize,
  meanGrad: usize,
  slope: usize,
  rectify: bool,
): void {
  for (let c = c0; c < c1; c += sizeof<V>() >> 2) {
    const at = floats(c);
    let g = load<V>(dy + at);
    if (rectify) g = where<V>(load<V>(y + at), g);
    const fall = mul<V>(sub<V>(load<V>(x + at), load<V>(mean + at)), load<V>(slope + at));
    const centred = sub<V>(sub<V>(g, load<V>(meanGrad + at)), fall);
    store<V>(dx + at, mul<V>(load<V>(factor + at), centred));
  }
}
