import type { TFEOpAttr } from '@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js';
import type { PoolGeometry, Shape, Tensor } from '../engine.js';
import { cutPadding, pad } from './padding.js';
import type { TensorFlowRuntime } from './runtime.js';
import { handleOf, TensorFlowTensor } from './tensors.js';

export function globalAvgPool(rt: TensorFlowRuntime, x: Tensor): Tensor {
  const [n, h, w, c] = x.shape as [number, number, number, number];
  const pooled = rt.run1('AvgPool', poolAttributes(rt, h, w, 1), [handleOf(x)]);
  const y = reshape(rt, pooled, [n, c]);
  rt.delete(pooled);
  return new TensorFlowTensor(rt, y, [n, c]);
}

export function globalAvgPoolGrad(rt: TensorFlowRuntime, dy: Tensor, xShape: Shape): Tensor {
  const [n, h, w, c] = xShape as [number, number, number, number];
  const dPooled = reshape(rt, handleOf(dy), [n, 1, 1, c]);
  const dx = rt.run1('AvgPoolGrad', poolAttributes(rt, h, w, 1), [rt.ints(xShape), dPooled]);
  rt.delete(dPooled);
  return new TensorFlowTensor(rt, dx, xShape);
}

/** What padding is filled with: any value of an image is larger. */
const LEAST_FLOAT32 = -3.4028234663852886e38;

export function maxPool(rt: TensorFlowRuntime, x: Tensor, geometry: PoolGeometry): Tensor {
  return pool(rt, 'MaxPool', x, geometry, LEAST_FLOAT32);
}

export function maxPoolGrad(rt: TensorFlowRuntime, dy: Tensor, x: Tensor, y: Tensor, geometry: PoolGeometry): Tensor {
  const { kernel, stride, padding } = geometry;
  const gradient = (image: number) =>
    rt.run1('MaxPoolGrad', poolAttributes(rt, kernel, kernel, stride), [image, handleOf(y), handleOf(dy)]);
  if (padding === 0) return new TensorFlowTensor(rt, gradient(handleOf(x)), x.shape);
  const padded = pad(rt, handleOf(x), padding, LEAST_FLOAT32);
  const dPadded = gradient(padded);
  rt.delete(padded);
  return new TensorFlowTensor(rt, cutPadding(rt, dPadded, x.shape, padding), x.shape);
}

export function avgPool(rt: TensorFlowRuntime, x: Tensor, geometry: PoolGeometry): Tensor {
  return pool(rt, 'AvgPool', x, geometry, 0);
}

export function avgPoolGrad(rt: TensorFlowRuntime, dy: Tensor, xShape: Shape, geometry: PoolGeometry): Tensor {
  const { kernel, stride, padding } = geometry;
  const [n, h, w, c] = xShape as [number, number, number, number];
  const padded = rt.ints([n, h + 2 * padding, w + 2 * padding, c]);
  const dx = rt.run1('AvgPoolGrad', poolAttributes(rt, kernel, kernel, stride), [padded, handleOf(dy)]);
  return new TensorFlowTensor(rt, padding === 0 ? dx : cutPadding(rt, dx, xShape, padding), xShape);
}

/** TensorFlow's pooling pads by name alone, and its means leave padding out: so the image is padded first. */
function pool(rt: TensorFlowRuntime, op: string, x: Tensor, geometry: PoolGeometry, padValue: number): Tensor {
  const { kernel, stride, padding } = geometry;
  const [n, h, w, c] = x.shape as [number, number, number, number];
  const outputSize = (size: number) => Math.floor((size + 2 * padding - kernel) / stride) + 1;
  const image = padding === 0 ? handleOf(x) : pad(rt, handleOf(x), padding, padValue);
  const y = rt.run1(op, poolAttributes(rt, kernel, kernel, stride), [image]);
  if (padding > 0) rt.delete(image);
  return new TensorFlowTensor(rt, y, [n, outputSize(h), outputSize(w), c]);
}

function reshape(rt: TensorFlowRuntime, handle: number, shape: Shape): number {
  const attributes = rt.attributes('reshape', (attr) => [attr.float32('T'), attr.int32('Tshape')]);
  return rt.run1('Reshape', attributes, [handle, rt.ints(shape)]);
}

function poolAttributes(rt: TensorFlowRuntime, h: number, w: number, stride: number): TFEOpAttr[] {
  return rt.attributes(`pool ${h} ${w} ${stride}`, (attr) => [
    attr.float32('T'),
    attr.int('ksize', [1, h, w, 1]),
    attr.int('strides', [1, stride, stride, 1]),
    attr.string('padding', 'VALID'),
    attr.string('data_format', 'NHWC'),
  ]);
}
