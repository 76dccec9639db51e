import type { Shape } from '../engine.js';
import type { TensorFlowRuntime } from './runtime.js';

/** @returns a handle of `[N, H + 2 padding, W + 2 padding, C]`; the image's own handle stays. */
export function pad(rt: TensorFlowRuntime, image: number, padding: number, value = 0): number {
  const attributes = rt.attributes('pad', (attr) => [attr.float32('T'), attr.int32('Tpaddings')]);
  const p = padding;
  return rt.run1('PadV2', attributes, [image, rt.ints([0, 0, p, p, p, p, 0, 0], [4, 2]), rt.scalar(value)]);
}

/** Undoes `pad`, consuming its argument. @param shape `[N, H, W, C]` of the result. */
export function cutPadding(rt: TensorFlowRuntime, padded: number, shape: Shape, padding: number): number {
  const attributes = rt.attributes('slice', (attr) => [attr.float32('T'), attr.int32('Index')]);
  const image = rt.run1('Slice', attributes, [padded, rt.ints([0, padding, padding, 0]), rt.ints(shape)]);
  rt.delete(padded);
  return image;
}
