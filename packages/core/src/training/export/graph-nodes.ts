import type {
  BatchNormNode,
  BiasNode,
  Conv2dNode,
  DualPathNode,
  LinearNode,
  ModelSpec,
  Node,
  PoolNode,
} from '../models/index.js';
import { toKernelLayout, type Weights } from '../weights.js';
import { type Attribute, FLOAT, type GraphBuilder, int, ints, type OutputOf, text } from './graph-def.js';

/** What one node of a model needs to be written into a graph. */
interface Place {
  readonly graph: GraphBuilder;
  readonly spec: ModelSpec;
  readonly weights: Weights;
  readonly outputOf: OutputOf;
  /** Unique in the graph. */
  readonly name: string;
  /** Channels of each input. */
  readonly channels: readonly number[];
}

const NHWC = text('NHWC');
const VALID = text('VALID');
/** Half of the lowest float32: no value of a network is below it, and it survives any rounding. */
const BELOW_ALL = -1.7e38;
/** PyTorch's, as training has it. */
const EPSILON = 1e-5;

/**
 * Writes one node in eval mode, as operations that TensorFlow.js's graph executor has on every backend.
 * @returns the name under which its output is read.
 */
export function writeNode(node: Node, place: Place): string {
  switch (node.op) {
    case 'conv2d':
      return node.groups === 1 ? conv2d(node, place) : groupedConv2d(node, place);
    case 'bias':
      return bias(node, place);
    case 'batchNorm':
      return batchNorm(node, place);
    case 'add': {
      const sum = place.graph.node(place.name, 'AddV2', inputs(node, place));
      return node.relu ? place.graph.relu(place.name, sum) : sum;
    }
    case 'mean': {
      const { graph, name } = place;
      const sum = graph.node(`${name}/sum`, 'AddN', inputs(node, place), { N: int(node.inputs.length) });
      const part = graph.floats(`${name}/part`, [], Float32Array.of(1 / node.inputs.length));
      return graph.node(name, 'Mul', [sum, part]);
    }
    case 'concat':
      return concat(place, place.name, inputs(node, place));
    case 'dualPath':
      return dualPath(node, place);
    case 'maxPool':
    case 'avgPool':
      return pool(node, place);
    case 'globalAvgPool': {
      const axes = place.graph.integers(`${place.name}/axes`, [1, 2]);
      return place.graph.node(place.name, 'Mean', [...inputs(node, place), axes], { keep_dims: { b: false } });
    }
    case 'dropout': // Drops nothing outside training.
      return place.outputOf(node.inputs[0]);
    case 'linear':
      return linear(node, place);
  }
}

const inputs = (node: Node, { outputOf }: Place): string[] => node.inputs.map(outputOf);

function parameter({ spec, weights }: Place, name: string): { shape: readonly number[]; values: Float32Array } {
  const { shape } = spec.parameters.find((p) => p.name === name)!;
  return { shape, values: weights.get(name)! };
}

/** A parameter under its own name and in its own layout. */
function constant(place: Place, name: string): string {
  const { shape, values } = parameter(place, name);
  return place.graph.floats(name, shape, values);
}

function conv2d(node: Conv2dNode, place: Place): string {
  const { shape, values } = parameter(place, `${node.name}.weight`);
  return convolve(node, place, { name: place.name, from: place.outputOf(node.inputs[0]), shape, values });
}

/** TensorFlow.js has no grouped convolution: each group is one of its own, and their outputs stand side by side. */
function groupedConv2d(node: Conv2dNode, place: Place): string {
  const { graph, name } = place;
  const { shape, values } = parameter(place, `${node.name}.weight`);
  const [cOut, ...rest] = shape as [number, number, number, number];
  const perGroup = values.length / node.groups;
  const axis = graph.integers(`${name}/axis`, [3], []);
  const parts = graph.node(`${name}/split`, 'Split', [axis, place.outputOf(node.inputs[0])], {
    num_split: int(node.groups),
  });
  const outputs = Array.from({ length: node.groups }, (_, g) =>
    convolve(node, place, {
      name: `${name}/${g}`,
      from: `${parts}:${g}`,
      shape: [cOut / node.groups, ...rest],
      values: values.subarray(g * perGroup, (g + 1) * perGroup),
    }),
  );
  return concat(place, name, outputs);
}

/** @param of `shape` and `values` in PyTorch's layout. */
function convolve(
  { stride, padding, name: parameterName }: Conv2dNode,
  { graph, name: nodeName }: Place,
  of: { name: string; from: string; shape: readonly number[]; values: Float32Array },
): string {
  const [cOut, cIn, kH, kW] = of.shape as [number, number, number, number];
  const suffix = of.name.slice(nodeName.length);
  const kernel = graph.floats(
    `${parameterName}.weight${suffix}`,
    [kH, kW, cIn, cOut],
    toKernelLayout(of.values, of.shape),
  );
  const pad: Record<string, Attribute> =
    padding === 0
      ? { padding: VALID }
      : { padding: text('EXPLICIT'), explicit_paddings: ints([0, 0, padding, padding, padding, padding, 0, 0]) };
  return graph.node(of.name, 'Conv2D', [of.from, kernel], {
    strides: ints([1, stride, stride, 1]),
    dilations: ints([1, 1, 1, 1]),
    data_format: NHWC,
    ...pad,
  });
}

function bias(node: BiasNode, place: Place): string {
  const values = constant(place, `${node.name}.bias`);
  const sum = place.graph.node(place.name, 'BiasAdd', [...inputs(node, place), values], { data_format: NHWC });
  return node.relu ? place.graph.relu(place.name, sum) : sum;
}

function batchNorm(node: BatchNormNode, place: Place): string {
  const parts = ['weight', 'bias', 'running_mean', 'running_var'].map((part) =>
    constant(place, `${node.name}.${part}`),
  );
  const normed = place.graph.node(place.name, 'FusedBatchNormV3', [...inputs(node, place), ...parts], {
    U: FLOAT,
    epsilon: { f: EPSILON },
    data_format: NHWC,
    is_training: { b: false },
  });
  return node.relu ? place.graph.relu(place.name, normed) : normed;
}

function concat({ graph }: Place, name: string, from: readonly string[]): string {
  const axis = graph.integers(`${name}/concat-axis`, [3], []);
  return graph.node(name, 'ConcatV2', [...from, axis], { N: int(from.length) });
}

function dualPath(node: DualPathNode, place: Place): string {
  const { graph, name } = place;
  const axis = graph.integers(`${name}/split-axis`, [3], []);
  const [a, b] = node.inputs.map((source, i) => {
    const sizes = graph.integers(`${name}/sizes-${i}`, [node.residual, place.channels[i]! - node.residual]);
    return graph.node(`${name}/split-${i}`, 'SplitV', [place.outputOf(source), sizes, axis], { num_split: int(2) });
  });
  const sum = graph.node(`${name}/sum`, 'AddV2', [`${a}:0`, `${b}:0`]);
  return graph.relu(name, concat(place, name, [sum, `${a}:1`, `${b}:1`]));
}

/** Padding is an operation of its own: a mean here counts it as zeros, and TensorFlow's does not. */
function pool(node: PoolNode, place: Place): string {
  const { graph, name } = place;
  const { kernel, stride, padding: p } = node;
  let from = place.outputOf(node.inputs[0]);
  if (p > 0) {
    const around = graph.integers(`${name}/paddings`, [0, 0, p, p, p, p, 0, 0], [4, 2]);
    const value = graph.floats(`${name}/pad-value`, [], Float32Array.of(node.op === 'maxPool' ? BELOW_ALL : 0));
    from = graph.node(`${name}/pad`, 'PadV2', [from, around, value]);
  }
  return graph.node(name, node.op === 'maxPool' ? 'MaxPool' : 'AvgPool', [from], {
    ksize: ints([1, kernel, kernel, 1]),
    strides: ints([1, stride, stride, 1]),
    padding: VALID,
    data_format: NHWC,
  });
}

function linear(node: LinearNode, place: Place): string {
  const { graph, name } = place;
  const product = graph.node(
    `${name}/product`,
    'MatMul',
    [...inputs(node, place), constant(place, `${node.name}.weight`)],
    {
      transpose_a: { b: false },
      transpose_b: { b: true },
    },
  );
  return graph.node(name, 'BiasAdd', [product, constant(place, `${node.name}.bias`)], { data_format: NHWC });
}
