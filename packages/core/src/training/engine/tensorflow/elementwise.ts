import type { Tensor, Variable } from '../engine.js';
import type { TensorFlowRuntime } from './runtime.js';
import * as slices from './slices.js';
import { handleOf, placeOf, TensorFlowTensor, viewOf } from './tensors.js';

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
  if (rt.fused) return new TensorFlowTensor(rt, slices.add(rt, placeOf(a), placeOf(b), options.relu === true), a.shape);
  const sum = rt.run1('AddV2', rt.float32, [handleOf(a), handleOf(b)]);
  return new TensorFlowTensor(rt, options.relu ? relu(rt, sum) : sum, a.shape);
}

export function multiply(rt: TensorFlowRuntime, a: Tensor, b: Tensor): Tensor {
  return new TensorFlowTensor(rt, rt.run1('Mul', rt.float32, [handleOf(a), handleOf(b)]), a.shape);
}

export function scale(rt: TensorFlowRuntime, x: Tensor, factor: number): Tensor {
  return new TensorFlowTensor(rt, rt.run1('Mul', rt.float32, [handleOf(x), rt.scalar(factor)]), x.shape);
}

export function addBias(
  rt: TensorFlowRuntime,
  x: Tensor,
  bias: Variable,
  options: { readonly relu?: boolean } = {},
): Tensor {
  const sum = rt.run1('BiasAdd', rt.float32, [handleOf(x), viewOf(bias)]);
  return new TensorFlowTensor(rt, options.relu ? relu(rt, sum) : sum, x.shape);
}

export function biasGrad(rt: TensorFlowRuntime, dy: Tensor): Tensor {
  return new TensorFlowTensor(rt, rt.run1('BiasAddGrad', rt.float32, [handleOf(dy)]), [dy.shape.at(-1)!]);
}
