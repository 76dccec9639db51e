import type { TFEOpAttr } from '@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js';
import type { ConvGeometry, Shape, Tensor, Variable } from '../engine.js';
import { cutPadding, pad } from './padding.js';
import type { TensorFlowRuntime } from './runtime.js';
import { handleOf, TensorFlowTensor, viewOf } from './tensors.js';

/** TensorFlow sees from the kernel's depth how many groups there are: the geometry's `groups` is not told to it. */
export function conv2d(rt: TensorFlowRuntime, x: Tensor, kernel: Variable, geometry: ConvGeometry): Tensor {
  const [n, h, w] = x.shape as [number, number, number];
  const [kH, kW, , cOut] = kernel.shape as [number, number, number, number];
  if (isWinograd(rt, kernel.shape, x.shape.at(-1)!, geometry)) {
    const y = rt.run1('NesgdConv3x3', turned(rt, false), [handleOf(x), viewOf(kernel)]);
    return new TensorFlowTensor(rt, y, [n, h, w, cOut]);
  }
  const { stride, padding } = geometry;
  const outputSize = (size: number, k: number) => Math.floor((size + 2 * padding - k) / stride) + 1;
  const attributes = convAttributes(rt, namedPadding(kernel.shape, geometry) ?? padding, stride);
  const y = convolve(rt, 'Conv2D', attributes, [handleOf(x), viewOf(kernel)]);
  return new TensorFlowTensor(rt, y, [n, outputSize(h, kH), outputSize(w, kW), cOut]);
}

export function conv2dGradInput(
  rt: TensorFlowRuntime,
  dy: Tensor,
  kernel: Variable,
  xShape: Shape,
  geometry: ConvGeometry,
): Tensor {
  if (isWinograd(rt, kernel.shape, xShape.at(-1)!, geometry)) {
    const dx = rt.run1('NesgdConv3x3', turned(rt, true), [handleOf(dy), viewOf(kernel)]);
    return new TensorFlowTensor(rt, dx, xShape);
  }
  const named = namedPadding(kernel.shape, geometry);
  const gradient = (padding: 'SAME' | 'VALID', shape: Shape) =>
    convolve(
      rt,
      'Conv2DBackpropInput',
      convAttributes(rt, padding, geometry.stride),
      [viewOf(kernel), handleOf(dy)],
      (kernel, dy) => [rt.ints(shape), kernel, dy],
    );
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
  if (isWinograd(rt, kernelShape, x.shape.at(-1)!, geometry)) {
    return new TensorFlowTensor(rt, rt.run1('NesgdConv3x3GradKernel', [], [handleOf(x), handleOf(dy)]), kernelShape);
  }
  if (overrunsInOneDnn(kernelShape, geometry)) {
    const read = pixelsRead(rt, x, geometry);
    const dKernel = conv2dGradKernel(rt, dy, read, kernelShape, { ...geometry, stride: 1, padding: 0 });
    read.dispose();
    return dKernel;
  }
  const named = namedPadding(kernelShape, geometry);
  const gradient = (padding: 'SAME' | 'VALID', input: number) =>
    convolve(
      rt,
      'Conv2DBackpropFilter',
      convAttributes(rt, padding, geometry.stride),
      [input, handleOf(dy)],
      (x, dy) => [x, rt.ints(kernelShape), dy],
    );
  if (named) return new TensorFlowTensor(rt, gradient(named, handleOf(x)), kernelShape);
  const padded = pad(rt, handleOf(x), geometry.padding);
  const dKernel = gradient('VALID', padded);
  rt.delete(padded);
  return new TensorFlowTensor(rt, dKernel, kernelShape);
}

/** Whether packages/core/native has a quicker way for this convolution and its gradients (decision 0172). */
function isWinograd(
  rt: TensorFlowRuntime,
  [kH, kW, cIn, cOut]: Shape,
  channels: number,
  { stride, padding }: ConvGeometry,
): boolean {
  if (!rt.winograd || rt.precision === 'bfloat16' || stride !== 1 || padding !== 1 || kH !== 3 || kW !== 3)
    return false;
  return cIn === channels && cIn % WINOGRAD_CHANNELS === 0 && cOut! % WINOGRAD_CHANNELS === 0;
}

/** Channels of a convolution by `NesgdConv3x3` are a multiple of this. */
const WINOGRAD_CHANNELS = 16;

/**
 * Whether oneDNN's gradient of the kernel writes past the end of its memory: it gathers the pixels that a strided 1x1
 * convolution reads, and with AVX2 has room for whole vectors of fewer channels than it copies.
 */
function overrunsInOneDnn([kH, kW, cIn]: Shape, { stride }: ConvGeometry): boolean {
  return kH === 1 && kW === 1 && stride > 1 && cIn! < ENOUGH_CHANNELS;
}

/** Twice as many as it was seen with: 16, the width of the longest vectors. */
const ENOUGH_CHANNELS = 16;

/** What a strided 1x1 convolution reads: every so many pixels of x and its padding, both ways. */
function pixelsRead(rt: TensorFlowRuntime, x: Tensor, { stride, padding }: ConvGeometry): TensorFlowTensor {
  const [n, h, w, c] = x.shape as [number, number, number, number];
  const [rows, columns] = [h + 2 * padding, w + 2 * padding];
  const attributes = rt.attributes('strided slice', (attr) => [
    attr.float32('T'),
    attr.int32('Index'),
    ...['begin_mask', 'end_mask', 'ellipsis_mask', 'new_axis_mask', 'shrink_axis_mask'].map((mask) =>
      attr.int(mask, 0),
    ),
  ]);
  const range = [rt.ints([0, 0, 0, 0]), rt.ints([n, rows, columns, c]), rt.ints([1, stride, stride, 1])];
  const padded = padding === 0 ? undefined : pad(rt, handleOf(x), padding);
  const read = rt.run1('StridedSlice', attributes, [padded ?? handleOf(x), ...range]);
  if (padded !== undefined) rt.delete(padded);
  return new TensorFlowTensor(rt, read, [n, Math.ceil(rows / stride), Math.ceil(columns / stride), c]);
}

const turned = (rt: TensorFlowRuntime, value: boolean): TFEOpAttr[] =>
  rt.attributes(`turned ${value}`, (attr) => [attr.bool('turned', value)]);

/**
 * Runs a convolution or one of its gradients; with precision bfloat16 on rounded copies of both operands, and the
 * result, rounded too, becomes float32 again. Weights and all other operations stay float32 (decision 0122).
 * @param operands float32 handles, borrowed.
 * @param order the operation's inputs, shapes among them.
 */
function convolve(
  rt: TensorFlowRuntime,
  op: string,
  attributes: TFEOpAttr[],
  operands: readonly [number, number],
  order: (a: number, b: number) => number[] = (a, b) => [a, b],
): number {
  if (rt.precision !== 'bfloat16') return rt.run1(op, attributes, order(...operands));
  const a = cast(rt, operands[0], 'bfloat16');
  const b = cast(rt, operands[1], 'bfloat16');
  const rounded = rt.run1(op, attributes, order(a, b));
  rt.delete(a);
  rt.delete(b);
  const result = cast(rt, rounded, 'float32');
  rt.delete(rounded);
  return result;
}

function cast(rt: TensorFlowRuntime, handle: number, to: 'bfloat16' | 'float32'): number {
  const attributes = rt.attributes(`cast to ${to}`, (attr) => [
    attr[to === 'bfloat16' ? 'float32' : 'bfloat16']('SrcT'),
    attr[to]('DstT'),
  ]);
  return rt.run1('Cast', attributes, [handle]);
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
    rt.precision === 'bfloat16' ? attr.bfloat16('T') : attr.float32('T'),
    attr.int('strides', [1, stride, stride, 1]),
    attr.int('dilations', [1, 1, 1, 1]),
    attr.string('data_format', 'NHWC'),
    attr.string('padding', typeof padding === 'number' ? 'EXPLICIT' : padding),
    attr.int('explicit_paddings', typeof padding === 'number' ? [0, 0, ...Array(4).fill(padding), 0, 0] : []),
  ]);
}
