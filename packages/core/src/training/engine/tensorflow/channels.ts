import type { Tensor } from '../engine.js';
import { relu } from './elementwise.js';
import type { TensorFlowRuntime } from './runtime.js';
import * as slices from './slices.js';
import { handleOf, placeOf, TensorFlowTensor } from './tensors.js';

const CHANNELS_AXIS = 3;

export function concat(
  rt: TensorFlowRuntime,
  inputs: readonly Tensor[],
  options: { readonly relu?: boolean } = {},
): Tensor {
  const channels = inputs.reduce((sum, { shape }) => sum + shape[CHANNELS_AXIS]!, 0);
  const shape = inputs[0]!.shape.with(CHANNELS_AXIS, channels);
  if (rt.fused) {
    return new TensorFlowTensor(rt, slices.concat(rt, inputs.map(placeOf), options.relu === true), shape);
  }
  const attributes = rt.attributes(`concat ${inputs.length}`, (attr) => [
    attr.int('N', inputs.length),
    attr.float32('T'),
    attr.int32('Tidx'),
  ]);
  const y = rt.run1('ConcatV2', attributes, [...inputs.map(handleOf), rt.ints([CHANNELS_AXIS], [])]);
  return new TensorFlowTensor(rt, options.relu ? relu(rt, y) : y, shape);
}

export function split(rt: TensorFlowRuntime, x: Tensor, channels: readonly number[]): Tensor[] {
  if (rt.fused) {
    let offset = 0;
    return channels.map((count) => {
      const slice = (x as TensorFlowTensor).slice(offset, count);
      offset += count;
      return slice;
    });
  }
  const attributes = rt.attributes(`split ${channels.length}`, (attr) => [
    attr.int('num_split', channels.length),
    attr.float32('T'),
    attr.int32('Tlen'),
  ]);
  const inputs = [handleOf(x), rt.ints(channels), rt.ints([CHANNELS_AXIS], [])];
  const parts = rt.run('SplitV', attributes, inputs, channels.length);
  return parts.map((part, i) => new TensorFlowTensor(rt, part, x.shape.with(CHANNELS_AXIS, channels[i]!)));
}
