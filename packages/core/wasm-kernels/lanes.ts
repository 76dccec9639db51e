/**
 * Kernels are written once, over `V`: `v128` for four floats at a time, `f32` for the channels or elements that are
 * left when their number is not a multiple of four.
 */

export function fill<V>(value: f32): V {
  if (isVector<V>()) return f32x4.splat(value);
  return value;
}

export function add<V>(a: V, b: V): V {
  if (isVector<V>()) return f32x4.add(a, b);
  return a + b;
}

export function sub<V>(a: V, b: V): V {
  if (isVector<V>()) return f32x4.sub(a, b);
  return a - b;
}

export function mul<V>(a: V, b: V): V {
  if (isVector<V>()) return f32x4.mul(a, b);
  return a * b;
}

/** max(a, 0); NaN stays NaN, so that a diverged training is seen. */
export function relu<V>(a: V): V {
  if (isVector<V>()) return f32x4.max(a, f32x4.splat(0));
  return max<f32>(a, 0);
}

/** `value` where `gate > 0`, else 0. */
export function where<V>(gate: V, value: V): V {
  if (isVector<V>()) return v128.and(value, f32x4.gt(gate, f32x4.splat(0)));
  return gate > 0 ? value : <f32>0;
}

/** Adds each lane to its own f64 at `sums`: long sums are carried in double precision. */
export function accumulate<V>(sums: usize, value: V): void {
  if (isVector<V>()) {
    v128.store(sums, f64x2.add(v128.load(sums), f64x2.promote_low_f32x4(value)));
    const high = i8x16.shuffle(value, value, 8, 9, 10, 11, 12, 13, 14, 15, 8, 9, 10, 11, 12, 13, 14, 15);
    v128.store(sums, f64x2.add(v128.load(sums, 16), f64x2.promote_low_f32x4(high)), 16);
  } else {
    store<f64>(sums, load<f64>(sums) + <f64>value);
  }
}

/** The part of `n` that whole vectors cover. */
export function vectorPart(n: i32): i32 {
  return n & ~3;
}

/** Bytes of `n` floats. */
export function floats(n: i32): usize {
  return (<usize>n) << 2;
}
