import type { Shape, Tensor } from '../engine.js';
import { rectify } from './elementwise.js';
import type { Storage, WasmRuntime } from './runtime.js';
import { storageOf, WasmTensor } from './tensors.js';

export function concat(
  rt: WasmRuntime,
  inputs: readonly Tensor[],
  options: { readonly relu?: boolean } = {},
): WasmTensor {
  const channels = inputs.reduce((sum, { shape }) => sum + shape.at(-1)!, 0);
  const shape = inputs[0]!.shape.with(-1, channels);
  const y = rt.allocate(shape);
  let from = 0;
  for (const input of inputs) {
    pasteChannels(rt, storageOf(input), input.shape, y, shape, from);
    from += input.shape.at(-1)!;
  }
  if (options.relu) rectify(rt.floats(y.pointer, y.size));
  return new WasmTensor(rt, y, shape);
}

export function split(rt: WasmRuntime, x: Tensor, channels: readonly number[]): WasmTensor[] {
  let from = 0;
  return channels.map((count) => {
    const part = cutChannels(rt, storageOf(x), x.shape, from, count);
    from += count;
    return new WasmTensor(rt, part, x.shape.with(-1, count));
  });
}

/** Of the last axis of `source`, `[..., C]`: `count` channels from the channel `from` on. */
export function cutChannels(rt: WasmRuntime, source: Storage, shape: Shape, from: number, count: number): Storage {
  const part = rt.allocate(shape.with(-1, count));
  const channels = shape.at(-1)!;
  const values = rt.floats(source.pointer, source.size);
  const target = rt.floats(part.pointer, part.size);
  for (let start = from, to = 0; to < target.length; start += channels) {
    for (let c = 0; c < count; c++) target[to++] = values[start + c]!;
  }
  return part;
}

/** Undoes `cutChannels`: writes `part`, `[..., count]`, to the channels from `from` on of `target`, `[..., C]`. */
export function pasteChannels(
  rt: WasmRuntime,
  part: Storage,
  partShape: Shape,
  target: Storage,
  targetShape: Shape,
  from: number,
): void {
  const [count, channels] = [partShape.at(-1)!, targetShape.at(-1)!];
  const values = rt.floats(part.pointer, part.size);
  const targets = rt.floats(target.pointer, target.size);
  for (let start = from, at = 0; at < values.length; start += channels) {
    for (let c = 0; c < count; c++) targets[start + c] = values[at++]!;
  }
}
