import type { TensorInfo } from '@tensorflow/tfjs-core';
import type { Engine, Tensor, Variable } from '../engine.js';
import { gradKernel } from './conv2d.js';
import { biasGrad } from './elementwise.js';
import type { Storage, WasmRuntime } from './runtime.js';
import { pointerOf, storageOf, WasmTensor } from './tensors.js';

/** Matrix products are convolutions of one pixel, for which there are fast kernels in all directions. */
export function linear(rt: WasmRuntime, x: Tensor, weight: Variable, bias: Variable): Tensor {
  const [out, inputs] = weight.shape as [number, number];
  const transposed = rt.allocate([inputs, out]);
  // A 1x1 kernel `[1, 1, out, in]` with its channels swapped.
  rt.kernels.reverseTaps(pointerOf(weight), transposed.pointer, 1, out, inputs, 1, 0, 0, 1, 1);
  const product = times(rt, x, transposed);
  rt.free(transposed);
  const n = x.shape[0]!;
  const y = rt.allocate([n, out]);
  rt.kernels.addBias(product.pointer, pointerOf(bias), y.pointer, n, out);
  rt.free(product);
  return new WasmTensor(rt, y, [n, out]);
}

export function linearGrad(rt: WasmRuntime, dy: Tensor, x: Tensor, weight: Variable): ReturnType<Engine['linearGrad']> {
  const [out, inputs] = weight.shape as [number, number];
  return {
    dx: new WasmTensor(rt, times(rt, dy, storageOf(weight)), x.shape),
    dWeight: new WasmTensor(rt, outerProducts(rt, dy, x), [out, inputs]),
    dBias: biasGrad(rt, dy),
  };
}

/** a `[n, k]` b `[k, m]`. */
function times(rt: WasmRuntime, a: Tensor, b: Storage): Storage {
  const [n, k] = a.shape as [number, number];
  const m = b.size / k;
  return rt.conv2d(view(storageOf(a), [n, 1, 1, k]), view(b, [1, 1, k, m]), 1, 0);
}

/** a^T b: a `[n, k]`, b `[n, m]` -> `[k, m]`. */
function outerProducts(rt: WasmRuntime, a: Tensor, b: Tensor): Storage {
  const [n, k] = a.shape as [number, number];
  const m = b.shape[1]!;
  const dy = { pointer: pointerOf(b), shape: [n, 1, 1, m] as const };
  const x = { pointer: pointerOf(a), shape: [n, 1, 1, k] as const };
  return gradKernel(rt, dy, x, [1, 1, k, m], { stride: 1, padding: 0 });
}

const view = (storage: Storage, shape: number[]): TensorInfo => ({ ...storage.info, shape });
