import type { TFEOpAttr } from '@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js';
import type { TensorFlowRuntime } from './runtime.js';

/**
 * Slices of channels, and the operations of packages/core/native that read them where they lie. They exist on a CPU
 * (`TensorFlowRuntime.fused`). All return handles.
 */

/** Where a tensor's values are: `channels` from `offset` on of those that `handle` has. */
export interface Place {
  readonly handle: number;
  readonly offset: number;
  readonly channels: number;
}

export function add(rt: TensorFlowRuntime, a: Place, b: Place, relu: boolean): number {
  return rt.run1('NesgdAdd', slicing(rt, [a, b], relu), [a.handle, b.handle]);
}

export function concat(rt: TensorFlowRuntime, inputs: readonly Place[], relu: boolean): number {
  const attributes = rt.attributes(`fused concat ${keyOf(inputs, relu)}`, (attr) => [
    attr.int('N', inputs.length),
    ...slicing(rt, inputs, relu),
  ]);
  return rt.run1(
    'NesgdConcat',
    attributes,
    inputs.map(({ handle }) => handle),
  );
}

export const copyOfSlice = (rt: TensorFlowRuntime, place: Place): number => concat(rt, [place], false);

/** The attributes of an operation on such places. */
export function slicing(rt: TensorFlowRuntime, places: readonly Place[], relu: boolean): TFEOpAttr[] {
  return rt.attributes(`slices ${keyOf(places, relu)}`, (attr) => [
    attr.bool('relu', relu),
    attr.int(
      'offsets',
      places.map(({ offset }) => offset),
    ),
    attr.int(
      'channels',
      places.map(({ channels }) => channels),
    ),
  ]);
}

const keyOf = (places: readonly Place[], relu: boolean): string =>
  `${relu}${places.map(({ offset, channels }) => ` ${offset}+${channels}`).join('')}`;
