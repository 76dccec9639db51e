import type { Tensor } from '../engine.js';
import type { WasmRuntime } from './runtime.js';
import { pointerOf, WasmTensor } from './tensors.js';

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
