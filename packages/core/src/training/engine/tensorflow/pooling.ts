import type { TFEOpAttr } from '@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js';
import type { Shape, Tensor } from '../engine.js';
import type { TensorFlowRuntime } from './runtime.js';
import { handleOf, TensorFlowTensor } from './tensors.js';

export function globalAvgPool(rt: TensorFlowRuntime, x: Tensor): Tensor {
  const [n, h, w, c] = x.shape as [number, number, number, number];
  const pooled = rt.run1('AvgPool', poolAttributes(rt, h, w), [handleOf(x)]);
  const y = reshape(rt, pooled, [n, c]);
  rt.delete(pooled);
  return new TensorFlowTensor(rt, y, [n, c]);
}

export function globalAvgPoolGrad(rt: TensorFlowRuntime, dy: Tensor, xShape: Shape): Tensor {
  const [n, h, w, c] = xShape as [number, number, number, number];
  const dPooled = reshape(rt, handleOf(dy), [n, 1, 1, c]);
  const dx = rt.run1('AvgPoolGrad', poolAttributes(rt, h, w), [rt.ints(xShape), dPooled]);
  rt.delete(dPooled);
  return new TensorFlowTensor(rt, dx, xShape);
}

function reshape(rt: TensorFlowRuntime, handle: number, shape: Shape): number {
  const attributes = rt.attributes('reshape', (attr) => [attr.float32('T'), attr.int32('Tshape')]);
  return rt.run1('Reshape', attributes, [handle, rt.ints(shape)]);
}

function poolAttributes(rt: TensorFlowRuntime, h: number, w: number): TFEOpAttr[] {
  return rt.attributes(`pool ${h} ${w}`, (attr) => [
    attr.float32('T'),
    attr.int('ksize', [1, h, w, 1]),
    attr.int('strides', [1, 1, 1, 1]),
    attr.string('padding', 'VALID'),
    attr.string('data_format', 'NHWC'),
  ]);
}
