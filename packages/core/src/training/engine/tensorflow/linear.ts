import type { Engine, Tensor, Variable } from '../engine.js';
import type { TensorFlowRuntime } from './runtime.js';
import { handleOf, TensorFlowTensor, viewOf } from './tensors.js';

export function linear(rt: TensorFlowRuntime, x: Tensor, weight: Variable, bias: Variable): Tensor {
  const product = matMul(rt, handleOf(x), false, viewOf(weight), true);
  const y = rt.run1('BiasAdd', rt.float32, [product, viewOf(bias)]);
  rt.delete(product);
  return new TensorFlowTensor(rt, y, [x.shape[0]!, weight.shape[0]!]);
}

export function linearGrad(
  rt: TensorFlowRuntime,
  dy: Tensor,
  x: Tensor,
  weight: Variable,
): ReturnType<Engine['linearGrad']> {
  return {
    dx: new TensorFlowTensor(rt, matMul(rt, handleOf(dy), false, viewOf(weight), false), x.shape),
    dWeight: new TensorFlowTensor(rt, matMul(rt, handleOf(dy), true, handleOf(x), false), weight.shape),
    dBias: new TensorFlowTensor(rt, rt.run1('BiasAddGrad', rt.float32, [handleOf(dy)]), [weight.shape[0]!]),
  };
}

function matMul(rt: TensorFlowRuntime, a: number, transposeA: boolean, b: number, transposeB: boolean): number {
  const attributes = rt.attributes(`matmul ${transposeA} ${transposeB}`, (attr) => [
    attr.float32('T'),
    attr.bool('transpose_a', transposeA),
    attr.bool('transpose_b', transposeB),
  ]);
  return rt.run1('MatMul', attributes, [a, b]);
}
