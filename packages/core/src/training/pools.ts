import type { Engine, Tensor } from './engine/index.js';
import type { Layer } from './layers.js';
import type { PoolNode } from './models/index.js';

export function maxPool(node: PoolNode, engine: Engine): Layer {
  const infer = ([x]: readonly Tensor[]) => engine.maxPool(x!, node);
  return {
    weights: [],
    keeps: { input: true, output: true },
    infer,
    train: (inputs) => ({ y: infer(inputs), saved: [] }),
    grad: (dy, [x], { y }) => ({ inputs: [engine.maxPoolGrad(dy, x!, y, node)], weights: [] }),
  };
}

export function avgPool(node: PoolNode, engine: Engine): Layer {
  const infer = ([x]: readonly Tensor[]) => engine.avgPool(x!, node);
  return {
    weights: [],
    keeps: { input: false, output: false },
    infer,
    train: (inputs) => ({ y: infer(inputs), saved: [] }),
    grad: (dy, [x]) => ({ inputs: [engine.avgPoolGrad(dy, x!.shape, node)], weights: [] }),
  };
}

export function globalAvgPool(engine: Engine): Layer {
  const infer = ([x]: readonly Tensor[]) => engine.globalAvgPool(x!);
  return {
    weights: [],
    keeps: { input: false, output: false },
    infer,
    train: (inputs) => ({ y: infer(inputs), saved: [] }),
    grad: (dy, [x]) => ({ inputs: [engine.globalAvgPoolGrad(dy, x!.shape)], weights: [] }),
  };
}
