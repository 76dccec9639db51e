import { add, fill, floats, mul, relu, sub, vectorPart, where } from './lanes';

/** `out = a + b`, then ReLU where `rectify`; n elements. */
export function sum(a: usize, b: usize, out: usize, n: i32, rectify: bool): void {
  sumRange<v128>(a, b, out, 0, vectorPart(n), rectify);
  sumRange<f32>(a, b, out, vectorPart(n), n, rectify);
}

/** `out = dy` where `y > 0`, else 0; n elements. */
export function reluGrad(dy: usize, y: usize, out: usize, n: i32): void {
  reluGradRange<v128>(dy, y, out, 0, vectorPart(n));
  reluGradRange<f32>(dy, y, out, vectorPart(n), n);
}

/** `x + bias` for x `[rows, channels]`, bias `[channels]`. */
export function addBias(x: usize, bias: usize, out: usize, rows: i32, channels: i32): void {
  for (let row = 0; row < rows; row++) {
    const at = floats(row * channels);
    sum(x + at, bias, out + at, channels, false);
  }
}

/** `velocity = momentum velocity + (gradient + decay weight)` in place; `out = weight - rate velocity`. */
export function sgd(
  weight: usize,
  velocity: usize,
  gradient: usize,
  out: usize,
  n: i32,
  rate: f32,
  momentum: f32,
  decay: f32,
): void {
  sgdRange<v128>(weight, velocity, gradient, out, 0, vectorPart(n), rate, momentum, decay);
  sgdRange<f32>(weight, velocity, gradient, out, vectorPart(n), n, rate, momentum, decay);
}

function sumRange<V>(a: usize, b: usize, out: usize, from: i32, to: i32, rectify: bool): void {
  for (let i = from; i < to; i += sizeof<V>() >> 2) {
    const at = floats(i);
    const v = add<V>(load<V>(a + at), load<V>(b + at));
    store<V>(out + at, rectify ? relu<V>(v) : v);
  }
}

function reluGradRange<V>(dy: usize, y: usize, out: usize, from: i32, to: i32): void {
  for (let i = from; i < to; i += sizeof<V>() >> 2) {
    const at = floats(i);
    store<V>(out + at, where<V>(load<V>(y + at), load<V>(dy + at)));
  }
}

function sgdRange<V>(
  weight: usize,
  velocity: usize,
  gradient: usize,
  out: usize,
  from: i32,
  to: i32,
  rate: f32,
  momentum: f32,
  decay: f32,
): void {
  for (let i = from; i < to; i += sizeof<V>() >> 2) {
    const at = floats(i);
    const w = load<V>(weight + at);
    const g = add<V>(load<V>(gradient + at), mul<V>(fill<V>(decay), w));
    const v = add<V>(mul<V>(fill<V>(momentum), load<V>(velocity + at)), g);
    store<V>(velocity + at, v);
    store<V>(out + at, sub<V>(w, mul<V>(fill<V>(rate), v)));
  }
}
