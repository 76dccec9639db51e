import type { TFEOpAttr } from '@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js';
import type { ConvGeometry, Shape, Tensor, Variable } from '../engine.js';
import { cutPadding, pad } from './padding.js';
import type { TensorFlowRuntime } from './runtime.js';
import { handleOf, TensorFlowTensor, viewOf } from './tensors.js';

/** TensorFlow sees from the kernel's depth how many groups there are: the geometry's `groups` is not told to it. */
export function conv2d(rt: TensorFlowRuntime, x: Tensor, kernel: Variable, geometry: ConvGeometry): Tensor {
  const [n, h, w] = x.shape as [number, number, number];
  const [kH, kW, , cOut] = kernel.shape as [number, number, number, number];
  const { stride, padding } = geometry;
  const outputSize = (size: number, k: number) => Math.floor((size + 2 * padding - k) / stride) + 1;
  const attributes = convAttributes(rt, namedPadding(kernel.shape, geometry) ?? padding, stride);
  const y = rt.run1('Conv2D', attributes, [handleOf(x), viewOf(kernel)]);
  return new TensorFlowTensor(rt, y, [n, outputSize(h, kH), outputSize(w, kW), cOut]);
}

export function conv2dGradInput(
  rt: TensorFlowRuntime,
  dy: Tensor,
  kernel: Variable,
  xShape: Shape,
  geometry: ConvGeometry,
): Tensor {
  const named = namedPadding(kernel.shape, geometry);
  const gradient = (padding: 'SAME' | 'VALID', shape: Shape) =>
    rt.run1('Conv2DBackpropInput', convAttributes(rt, padding, geometry.stride), [
      rt.ints(shape),
      viewOf(kernel),
      handleOf(dy),
    ]);
  if (named) return new TensorFlowTensor(rt, gradient(named, xShape), xShape);
  const [n, h, w, c] = xShape as [number, number, number, number];
  const p = geometry.padding;
  const padded = gradient('VALID', [n, h + 2 * p, w + 2 * p, c]);
  return new TensorFlowTensor(rt, cutPadding(rt, padded, xShape, p), xShape);
}

export function conv2dGradKernel(
  rt: TensorFlowRuntime,
  dy: Tensor,
  x: Tensor,
  kernelShape: Shape,
  geometry: ConvGeometry,
): Tensor {
  const named = namedPadding(kernelShape, geometry);
  const gradient = (padding: 'SAME' | 'VALID', input: number) =>
    rt.run1('Conv2DBackpropFilter', convAttributes(rt, padding, geometry.stride), [
      input,
      rt.ints(kernelShape),
      handleOf(dy),
    ]);
  if (named) return new TensorFlowTensor(rt, gradient(named, handleOf(x)), kernelShape);
  const padded = pad(rt, handleOf(x), geometry.padding);
  const dKernel = gradient('VALID', padded);
  rt.delete(padded);
  return new TensorFlowTensor(rt, dKernel, kernelShape);
}

/**
 * TensorFlow's name for this padding, where it has one. Its gradients with explicit padding go another way, 3 to 9
 * times slower (decision 0041), so where this is undefined the gradients work on a padded image.
 */
function namedPadding(kernelShape: Shape, { stride, padding }: ConvGeometry): 'SAME' | 'VALID' | undefined {
  const [kH, kW] = kernelShape as [number, number];
  if (padding === 0) return 'VALID';
  return stride === 1 && kH === 2 * padding + 1 && kW === kH ? 'SAME' : undefined;
}

function convAttributes(rt: TensorFlowRuntime, padding: 'SAME' | 'VALID' | number, stride: number): TFEOpAttr[] {
  return rt.attributes(`conv ${padding} ${stride}`, (attr) => [
    attr.float32('T'),
    attr.int('strides', [1, stride, stride, 1]),
    attr.int('dilations', [1, 1, 1, 1]),
    attr.string('data_format', 'NHWC'),
    attr.string('padding', typeof padding === 'number' ? 'EXPLICIT' : padding),
    attr.int('explicit_paddings', typeof padding === 'number' ? [0, 0, ...Array(4).fill(padding), 0, 0] : []),
  ]);
}
