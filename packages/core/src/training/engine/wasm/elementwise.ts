import type { Tensor, Variable } from '../engine.js';
import type { WasmRuntime } from './runtime.js';
import { pointerOf, WasmTensor } from './tensors.js';

/** ReLU in place; NaN stays, so that a network that diverged does not look healthy. */
export function rectify(values: Float32Array): void {
  for (let i = 0; i < values.length; i++) if (values[i]! < 0) values[i] = 0;
}

export function reluGrad(rt: WasmRuntime, dy: Tensor, y: Tensor): Tensor {
  const out = rt.allocate(dy.shape);
  rt.kernels.reluGrad(pointerOf(dy), pointerOf(y), out.pointer, out.size);
  return new WasmTensor(rt, out, dy.shape);
}

export function add(rt: WasmRuntime, a: Tensor, b: Tensor, options: { readonly relu?: boolean } = {}): Tensor {
  const out = rt.allocate(a.shape);
  rt.kernels.sum(pointerOf(a), pointerOf(b), out.pointer, out.size, Number(options.relu ?? false));
  return new WasmTensor(rt, out, a.shape);
}

export function multiply(rt: WasmRuntime, a: Tensor, b: Tensor): Tensor {
  const out = rt.allocate(a.shape);
  const [as, bs, products] = [pointerOf(a), pointerOf(b), out.pointer].map((pointer) => rt.floats(pointer, out.size));
  for (let i = 0; i < out.size; i++) products![i] = as![i]! * bs![i]!;
  return new WasmTensor(rt, out, a.shape);
}

export function scale(rt: WasmRuntime, x: Tensor, factor: number): Tensor {
  const out = rt.allocate(x.shape);
  const values = rt.floats(pointerOf(x), out.size);
  const products = rt.floats(out.pointer, out.size);
  for (let i = 0; i < out.size; i++) products[i] = values[i]! * factor;
  return new WasmTensor(rt, out, x.shape);
}

export function addBias(
  rt: WasmRuntime,
  x: Tensor,
  bias: Variable,
  options: { readonly relu?: boolean } = {},
): WasmTensor {
  const y = rt.allocate(x.shape);
  const channels = x.shape.at(-1)!;
  rt.kernels.addBias(pointerOf(x), pointerOf(bias), y.pointer, y.size / channels, channels);
  if (options.relu) rectify(rt.floats(y.pointer, y.size));
  return new WasmTensor(rt, y, x.shape);
}

/** The sums over all axes but the last, in double precision. */
export function biasGrad(rt: WasmRuntime, dy: Tensor): WasmTensor {
  const channels = dy.shape.at(-1)!;
  const rows = dy.shape.slice(0, -1).reduce((product, length) => product * length, 1);
  const dBias = rt.allocate([channels]);
  const sums = rt.scratch(channels * 2 * Float64Array.BYTES_PER_ELEMENT);
  rt.kernels.columnSums(pointerOf(dy), rows, channels, dBias.pointer, sums);
  return new WasmTensor(rt, dBias, [channels]);
}
