import type { GRANULARITIES } from '../../protocol/training-settings.js';

/**
 * A network as data: what it computes, what it learns, and which block each weight belongs to. No engine is needed to
 * read it, so the coordinator knows a genome's length without TensorFlow.js.
 */
export interface ModelSpec {
  readonly name: string;
  /** `[H, W, C]` */
  readonly inputShape: ImageShape;
  readonly classes: number;
  /** In the order of computation; the last one gives the logits. */
  readonly nodes: readonly Node[];
  /** Everything a checkpoint holds: weights and batch norm's running statistics, in the order of computation. */
  readonly parameters: readonly ParameterSpec[];
}

export type ImageShape = readonly [height: number, width: number, channels: number];

/** The network's input, or the index of the node whose output is meant. */
export type Source = 'input' | number;

export type Node =
  | Conv2dNode
  | BiasNode
  | BatchNormNode
  | AddNode
  | MeanNode
  | ConcatNode
  | DualPathNode
  | PoolNode
  | GlobalAvgPoolNode
  | DropoutNode
  | LinearNode;

export interface Conv2dNode {
  readonly op: 'conv2d';
  readonly inputs: readonly [Source];
  /** Prefix of its parameters' names: `<name>.weight`. */
  readonly name: string;
  readonly stride: number;
  readonly padding: number;
  /** Divides channels in and out; each group of inputs makes its own outputs. */
  readonly groups: number;
}

/** Adds `<name>.bias` to each channel. */
export interface BiasNode {
  readonly op: 'bias';
  readonly inputs: readonly [Source];
  readonly name: string;
  readonly relu: boolean;
}

export interface BatchNormNode {
  readonly op: 'batchNorm';
  readonly inputs: readonly [Source];
  readonly name: string;
  readonly relu: boolean;
}

export interface AddNode {
  readonly op: 'add';
  readonly inputs: readonly [Source, Source];
  readonly relu: boolean;
}

/** Element by element, of inputs of one shape. */
export interface MeanNode {
  readonly op: 'mean';
  readonly inputs: readonly Source[];
}

/** Along channels. */
export interface ConcatNode {
  readonly op: 'concat';
  readonly inputs: readonly Source[];
}

/**
 * Where a dual path block's two inputs, a and b, meet: of their first `residual` channels the sum, beside it the rest
 * of a, then the rest of b; ReLU of all.
 */
export interface DualPathNode {
  readonly op: 'dualPath';
  readonly inputs: readonly [Source, Source];
  readonly residual: number;
}

export interface PoolNode {
  /** The mean counts padding as zeros. */
  readonly op: 'maxPool' | 'avgPool';
  readonly inputs: readonly [Source];
  readonly kernel: number;
  readonly stride: number;
  readonly padding: number;
}

/** In training, each value is 0 with probability `rate`, else divided by 1 - rate. */
export interface DropoutNode {
  readonly op: 'dropout';
  readonly inputs: readonly [Source];
  readonly rate: number;
}

export interface GlobalAvgPoolNode {
  readonly op: 'globalAvgPool';
  readonly inputs: readonly [Source];
}

export interface LinearNode {
  readonly op: 'linear';
  readonly inputs: readonly [Source];
  readonly name: string;
}

export type Granularity = (typeof GRANULARITIES)[number];

export interface ParameterSpec {
  /** PyTorch's name of it, such as `layer1.0.conv1.weight`. */
  readonly name: string;
  /** In PyTorch's layout: conv kernels `[cOut, cIn / groups, kH, kW]`, linear weights `[out, in]`, all else `[C]`. */
  readonly shape: readonly number[];
  /** False for running statistics, which no gradient moves. */
  readonly trainable: boolean;
  readonly initial: Initial;
  /** The block it belongs to, for each granularity: exactly one. */
  readonly block: Readonly<Record<Granularity, string>>;
}

/** How fresh values are drawn, with PyTorch's names for the distributions. */
export type Initial =
  | { readonly kind: 'constant'; readonly value: number }
  /** Normal, mean 0, std sqrt(2 / fanIn): He et al. 2015, for layers before a ReLU. */
  | { readonly kind: 'kaimingNormal'; readonly fanIn: number }
  /** Normal, mean 0. */
  | { readonly kind: 'normal'; readonly std: number }
  /** Uniform in +-sqrt(6 / (fanIn + fanOut)): Glorot and Bengio 2010. */
  | { readonly kind: 'xavierUniform'; readonly fanIn: number; readonly fanOut: number }
  /** Uniform in +-1 / sqrt(fanIn): what PyTorch's layers draw by default. */
  | { readonly kind: 'uniform'; readonly fanIn: number };

export interface BlockSpec {
  readonly name: string;
  /** Numbers that SGD trains in it. */
  readonly parameters: number;
}

/** The blocks of a network in the order of computation: bit i of a mask is for block i. */
export function blocksOf(spec: ModelSpec, granularity: Granularity): BlockSpec[] {
  const sizes = new Map<string, number>();
  for (const parameter of spec.parameters) {
    const name = parameter.block[granularity];
    sizes.set(name, (sizes.get(name) ?? 0) + (parameter.trainable ? sizeOf(parameter.shape) : 0));
  }
  return Array.from(sizes, ([name, parameters]) => ({ name, parameters }));
}

export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, length) => product * length, 1);
