import type { Tensor } from '../engine.js';
import type { TensorFlowRuntime } from './runtime.js';
import { handleOf, TensorFlowTensor } from './tensors.js';

/** Consumes its argument. */
export function relu(rt: TensorFlowRuntime, handle: number): number {
  const y = rt.run1('Relu', rt.float32, [handle]);
  rt.delete(handle);
  return y;
}

export function reluGrad(rt: TensorFlowRuntime, dy: Tensor, y: Tensor): Tensor {
  return new TensorFlowTensor(rt, rt.run1('ReluGrad', rt.float32, [handleOf(dy), handleOf(y)]), dy.shape);
}

export function add(rt: TensorFlowRuntime, a: Tensor, b: Tensor, options: { readonly relu?: boolean } = {}): Tensor {
  const sum = rt.run1('AddV2', rt.float32, [handleOf(a), handleOf(b)]);
  return new TensorFlowTensor(rt, options.relu ? relu(rt, sum) : sum, a.shape);
}
