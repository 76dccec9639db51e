import type { Shape, Tensor } from '../engine.js';
import type { WasmRuntime } from './runtime.js';
import { pointerOf, WasmTensor } from './tensors.js';

export function globalAvgPool(rt: WasmRuntime, x: Tensor): Tensor {
  const [n, h, w, c] = x.shape as [number, number, number, number];
  const out = rt.allocate([n, c]);
  rt.kernels.globalAvgPool(pointerOf(x), out.pointer, n, h * w, c);
  return new WasmTensor(rt, out, [n, c]);
}

export function globalAvgPoolGrad(rt: WasmRuntime, dy: Tensor, xShape: Shape): Tensor {
  const [n, h, w, c] = xShape as [number, number, number, number];
  const out = rt.allocate(xShape);
  rt.kernels.globalAvgPoolGrad(pointerOf(dy), out.pointer, n, h * w, c);
  return new WasmTensor(rt, out, xShape);
}
