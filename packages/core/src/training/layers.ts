import type { Rng } from '../evolution/rng.js';
import { dropout } from './dropout.js';
import type { BatchNormOptions, Engine, Tensor, Variable } from './engine/index.js';
import { add, concat, dualPath, mean } from './joins.js';
import type { BatchNormNode, BiasNode, Conv2dNode, Node } from './models/index.js';
import { avgPool, globalAvgPool, maxPool } from './pools.js';

/** One node of a network on an engine: how it is computed, and its gradient. Tensors passed in are borrowed. */
export interface Layer {
  /** Those that get a gradient, in the order of the model's parameters. */
  readonly weights: readonly Variable[];
  /** What `grad` reads besides shapes; the network frees the rest as soon as the forward pass is over it. */
  readonly keeps: { readonly input: boolean; readonly output: boolean };
  infer(inputs: readonly Tensor[]): Tensor;
  /**
   * Also moves running statistics.
   * @param rng of this step; without it nothing is dropped.
   */
  train(inputs: readonly Tensor[], rng?: Rng): Forward;
  /** @param wantInput false where nothing that learns lies below: `inputs` then comes empty. */
  grad(dy: Tensor, inputs: readonly Tensor[], forward: Forward, wantInput: boolean): Gradients;
  /**
   * Where its inputs can be had from its output (a concatenation's), they need not be kept: copies of them, in order.
   * @param inputs give their shapes alone.
   */
  restoreInputs?(y: Tensor, inputs: readonly Tensor[]): readonly Tensor[];
}

export interface Forward {
  readonly y: Tensor;
  /** For `grad` alone; disposed with `y`. */
  readonly saved: readonly Tensor[];
}

export interface Gradients {
  /** One an input. May hold one tensor several times: it then has as many owners. */
  readonly inputs: readonly Tensor[];
  /** One of each of `weights`. */
  readonly weights: readonly Tensor[];
}

/** PyTorch's defaults, which the networks' sources leave as they are; momentum is a batch's weight in the running statistics. */
export const BATCH_NORM = { epsilon: 1e-5, momentum: 0.1 };

/** @param variable gives a parameter of the model by its name. */
export function layerFor(node: Node, engine: Engine, variable: (name: string) => Variable): Layer {
  switch (node.op) {
    case 'conv2d':
      return conv2d(node, engine, variable);
    case 'batchNorm':
      return batchNorm(node, engine, variable);
    case 'bias':
      return bias(node, engine, variable);
    case 'add':
      return add(node, engine);
    case 'mean':
      return mean(engine);
    case 'concat':
      return concat(engine);
    case 'dualPath':
      return dualPath(node, engine);
    case 'maxPool':
      return maxPool(node, engine);
    case 'avgPool':
      return avgPool(node, engine);
    case 'dropout':
      return dropout(node, engine);
    case 'globalAvgPool':
      return globalAvgPool(engine);
    case 'linear':
      return linear(node.name, engine, variable);
  }
}

function conv2d(node: Conv2dNode, engine: Engine, variable: (name: string) => Variable): Layer {
  const kernel = variable(`${node.name}.weight`);
  const infer = ([x]: readonly Tensor[]) => engine.conv2d(x!, kernel, node);
  return {
    weights: [kernel],
    keeps: { input: true, output: false },
    infer,
    train: (inputs) => ({ y: infer(inputs), saved: [] }),
    grad: (dy, [x], _forward, wantInput) => ({
      weights: [engine.conv2dGradKernel(dy, x!, kernel.shape, node)],
      inputs: wantInput ? [engine.conv2dGradInput(dy, kernel, x!.shape, node)] : [],
    }),
  };
}

function bias(node: BiasNode, engine: Engine, variable: (name: string) => Variable): Layer {
  const values = variable(`${node.name}.bias`);
  const infer = ([x]: readonly Tensor[]) => engine.addBias(x!, values, node);
  return {
    weights: [values],
    keeps: { input: false, output: node.relu },
    infer,
    train: (inputs) => ({ y: infer(inputs), saved: [] }),
    grad: (dy, _inputs, { y }) => {
      const d = node.relu ? engine.reluGrad(dy, y) : dy;
      return { inputs: [d], weights: [engine.biasGrad(d)] };
    },
  };
}

function batchNorm(node: BatchNormNode, engine: Engine, variable: (name: string) => Variable): Layer {
  const norm = {
    scale: variable(`${node.name}.weight`),
    offset: variable(`${node.name}.bias`),
    runningMean: variable(`${node.name}.running_mean`),
    runningVariance: variable(`${node.name}.running_var`),
  };
  const options: BatchNormOptions = { ...BATCH_NORM, relu: node.relu };
  return {
    weights: [norm.scale, norm.offset],
    keeps: { input: true, output: node.relu },
    infer: ([x]) => engine.batchNormInfer(x!, norm, options),
    train: ([x]) => engine.batchNormTrain(x!, norm, options),
    grad: (dy, [x], { y, saved }) => {
      const { dx, dScale, dOffset } = engine.batchNormGrad(dy, x!, y, norm, saved, options);
      return { inputs: [dx], weights: [dScale, dOffset] };
    },
  };
}

function linear(name: string, engine: Engine, variable: (name: string) => Variable): Layer {
  const weight = variable(`${name}.weight`);
  const bias = variable(`${name}.bias`);
  const infer = ([x]: readonly Tensor[]) => engine.linear(x!, weight, bias);
  return {
    weights: [weight, bias],
    keeps: { input: true, output: false },
    infer,
    train: (inputs) => ({ y: infer(inputs), saved: [] }),
    grad: (dy, [x]) => {
      const { dx, dWeight, dBias } = engine.linearGrad(dy, x!, weight);
      return { inputs: [dx], weights: [dWeight, dBias] };
    },
  };
}
