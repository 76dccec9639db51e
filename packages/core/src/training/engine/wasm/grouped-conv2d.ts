import type { ConvGeometry, Shape, Tensor, Variable } from '../engine.js';
import { cutChannels, pasteChannels } from './channels.js';
import * as single from './conv2d.js';
import type { Storage, WasmRuntime } from './runtime.js';
import { storageOf, WasmTensor, WasmVariable } from './tensors.js';

/** A convolution for each group of channels: the backend knows none with groups. */
export function conv2d(rt: WasmRuntime, x: Tensor, kernel: Variable, geometry: ConvGeometry): Tensor {
  const { groups = 1 } = geometry;
  if (groups === 1) return single.conv2d(rt, x, kernel, geometry);
  return joinGroups(rt, groups, (group) => {
    const xPart = tensorOf(rt, x, group, groups);
    const kernelPart = kernelOf(rt, kernel, group, groups);
    const y = single.conv2d(rt, xPart, kernelPart, geometry);
    xPart.dispose();
    kernelPart.dispose();
    return y;
  });
}

export function conv2dGradInput(
  rt: WasmRuntime,
  dy: Tensor,
  kernel: Variable,
  xShape: Shape,
  geometry: ConvGeometry,
): Tensor {
  const { groups = 1 } = geometry;
  if (groups === 1) return single.conv2dGradInput(rt, dy, kernel, xShape, geometry);
  const partShape = xShape.with(-1, xShape.at(-1)! / groups);
  return joinGroups(rt, groups, (group) => {
    const dyPart = tensorOf(rt, dy, group, groups);
    const kernelPart = kernelOf(rt, kernel, group, groups);
    const dx = single.conv2dGradInput(rt, dyPart, kernelPart, partShape, geometry);
    dyPart.dispose();
    kernelPart.dispose();
    return dx;
  });
}

export function conv2dGradKernel(
  rt: WasmRuntime,
  dy: Tensor,
  x: Tensor,
  kernelShape: Shape,
  geometry: ConvGeometry,
): Tensor {
  const { groups = 1 } = geometry;
  if (groups === 1) return single.conv2dGradKernel(rt, dy, x, kernelShape, geometry);
  const partShape = kernelShape.with(-1, kernelShape.at(-1)! / groups);
  return joinGroups(rt, groups, (group) => {
    const dyPart = tensorOf(rt, dy, group, groups);
    const xPart = tensorOf(rt, x, group, groups);
    const dKernel = single.conv2dGradKernel(rt, dyPart, xPart, partShape, geometry);
    dyPart.dispose();
    xPart.dispose();
    return dKernel;
  });
}

/** The groups' results, of one shape, side by side along the last axis. */
function joinGroups(rt: WasmRuntime, groups: number, compute: (group: number) => Tensor): Tensor {
  let joined: WasmTensor | undefined;
  for (let group = 0; group < groups; group++) {
    const part = compute(group);
    const count = part.shape.at(-1)!;
    const shape = part.shape.with(-1, count * groups);
    joined ??= new WasmTensor(rt, rt.allocate(shape), shape);
    pasteChannels(rt, storageOf(part), part.shape, joined.storage, shape, group * count);
    part.dispose();
  }
  return joined!;
}

const tensorOf = (rt: WasmRuntime, value: Tensor, group: number, groups: number): WasmTensor =>
  new WasmTensor(rt, partOf(rt, value, group, groups), partShapeOf(value, groups));

const kernelOf = (rt: WasmRuntime, kernel: Variable, group: number, groups: number): WasmVariable =>
  new WasmVariable(rt, partOf(rt, kernel, group, groups), partShapeOf(kernel, groups));

function partOf(rt: WasmRuntime, value: Tensor | Variable, group: number, groups: number): Storage {
  const count = value.shape.at(-1)! / groups;
  return cutChannels(rt, storageOf(value), value.shape, group * count, count);
}

const partShapeOf = ({ shape }: Tensor | Variable, groups: number): Shape => shape.with(-1, shape.at(-1)! / groups);
