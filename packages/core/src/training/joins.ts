import type { Engine, Tensor } from './engine/index.js';
import type { Layer } from './layers.js';
import type { AddNode, DualPathNode } from './models/index.js';

export function add(node: AddNode, engine: Engine): Layer {
  const infer = ([a, b]: readonly Tensor[]) => engine.add(a!, b!, node);
  return {
    weights: [],
    keeps: { input: false, output: node.relu },
    infer,
    train: (inputs) => ({ y: infer(inputs), saved: [] }),
    grad: (dy, _inputs, { y }) => {
      const d = node.relu ? engine.reluGrad(dy, y) : dy;
      return { inputs: [d, d], weights: [] };
    },
  };
}

export function mean(engine: Engine): Layer {
  const infer = ([first, ...rest]: readonly Tensor[]) => {
    let sum = first!;
    for (const x of rest) {
      const next = engine.add(sum, x);
      if (sum !== first) sum.dispose();
      sum = next;
    }
    const y = engine.scale(sum, 1 / (1 + rest.length));
    if (sum !== first) sum.dispose();
    return y;
  };
  return {
    weights: [],
    keeps: { input: false, output: false },
    infer,
    train: (inputs) => ({ y: infer(inputs), saved: [] }),
    grad: (dy, inputs) => {
      const d = engine.scale(dy, 1 / inputs.length);
      return { inputs: inputs.map(() => d), weights: [] };
    },
  };
}

export function concat(engine: Engine): Layer {
  const infer = (inputs: readonly Tensor[]) => engine.concat(inputs);
  return {
    weights: [],
    keeps: { input: false, output: false },
    infer,
    train: (inputs) => ({ y: infer(inputs), saved: [] }),
    grad: (dy, inputs) => ({ inputs: engine.split(dy, inputs.map(channelsOf)), weights: [] }),
    restoreInputs: (y, inputs) => engine.split(y, inputs.map(channelsOf)),
  };
}

export function dualPath({ residual }: DualPathNode, engine: Engine): Layer {
  const infer = ([a, b]: readonly Tensor[]) => {
    const [aSum, aRest] = engine.split(a!, [residual, channelsOf(a!) - residual]) as [Tensor, Tensor];
    const [bSum, bRest] = engine.split(b!, [residual, channelsOf(b!) - residual]) as [Tensor, Tensor];
    const sum = engine.add(aSum, bSum);
    const y = engine.concat([sum, aRest, bRest], { relu: true });
    for (const part of [aSum, aRest, bSum, bRest, sum]) part.dispose();
    return y;
  };
  return {
    weights: [],
    keeps: { input: false, output: true },
    infer,
    train: (inputs) => ({ y: infer(inputs), saved: [] }),
    grad: (dy, inputs, { y }) => {
      const [aRest, bRest] = inputs.map((x) => channelsOf(x) - residual) as [number, number];
      const d = engine.reluGrad(dy, y);
      const [dSum, dA, dB] = engine.split(d, [residual, aRest, bRest]) as [Tensor, Tensor, Tensor];
      const gradients = [engine.concat([dSum, dA]), engine.concat([dSum, dB])];
      for (const part of [d, dSum, dA, dB]) part.dispose();
      return { inputs: gradients, weights: [] };
    },
  };
}

const channelsOf = ({ shape }: Tensor): number => shape.at(-1)!;
