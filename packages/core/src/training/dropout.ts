import type { Rng } from '../evolution/rng.js';
import type { Engine } from './engine/index.js';
import type { Layer } from './layers.js';
import { type DropoutNode, sizeOf } from './models/index.js';

/**
 * Srivastava et al. 2014, "inverted": what is kept is divided by the probability of being kept, so that inference
 * changes nothing. Masks come from our own generator: an engine's would differ from the other's.
 */
export function dropout({ rate }: DropoutNode, engine: Engine): Layer {
  return {
    weights: [],
    keeps: { input: false, output: false },
    infer: ([x]) => engine.scale(x!, 1),
    train: ([x], rng) => {
      if (!rng) return { y: engine.scale(x!, 1), saved: [] };
      const mask = engine.tensor(dropoutMask(sizeOf(x!.shape), rate, rng), x!.shape);
      return { y: engine.multiply(x!, mask), saved: [mask] };
    },
    grad: (dy, _inputs, { saved: [mask] }) => ({
      inputs: [mask ? engine.multiply(dy, mask) : dy],
      weights: [],
    }),
  };
}

/** 0 with probability `rate`, else 1 / (1 - rate). */
export function dropoutMask(size: number, rate: number, rng: Rng): Float32Array {
  const dropped = rate * 2 ** 32;
  const kept = 1 / (1 - rate);
  const mask = new Float32Array(size);
  for (let i = 0; i < size; i++) mask[i] = rng.nextUint32() < dropped ? 0 : kept;
  return mask;
}
