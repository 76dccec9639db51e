import { type Cursor, SpecBuilder, type WeightInit } from './builder.js';
import type { ImageShape, Initial, ModelSpec } from './spec.js';

/**
 * Densely connected networks for small images (Huang et al. 2017): a 3x3 stem; dense blocks, in which each layer reads
 * all before it and adds `growth` channels; between blocks a 1x1 convolution and 2x2 mean pooling; global average
 * pooling, one linear layer. Batch norm and ReLU come before each convolution, and belong to its layer.
 */
export interface DenseNetOptions {
  readonly stem: number;
  /** k: channels that a dense layer adds. */
  readonly growth: number;
  /** Dense layers of each dense block. */
  readonly layers: readonly number[];
  /** "-B": a 1x1 convolution to 4k channels before each 3x3 convolution. */
  readonly bottleneck: boolean;
  /** "-C": theta, the part of the channels that a transition leaves; 1 leaves all. */
  readonly compression: number;
  readonly names: Names;
  /** A layer's new channels stand before those it read; which it is decides which weights read which. */
  readonly newestFirst: boolean;
  readonly weightInit: WeightInit;
  /** Where the linear layer is not drawn like the rest. */
  readonly linearInit?: (fanIn: number) => { readonly weight: Initial; readonly bias: Initial };
}

/** PyTorch names of a source's modules; stages and layers count from 1 and 0, as sources do. */
interface Names {
  readonly stage: (stage: number) => string;
  readonly denseLayer: (stage: number, layer: number) => string;
  readonly transition: { readonly norm: string; readonly conv: string };
  readonly norm: string;
  readonly linear: string;
}

export const DENSENETS = {
  /**
   * DenseNet-BC of kuangliu/pytorch-cifar, with its names and initialisation: 6,956,298 parameters for 10 classes and
   * 3 channels.
   */
  densenet121: {
    stem: 64,
    growth: 32,
    layers: [6, 12, 24, 16],
    bottleneck: true,
    compression: 0.5,
    names: {
      stage: (stage) => `dense${stage}`,
      denseLayer: (stage, layer) => `dense${stage}.${layer}`,
      transition: { norm: 'bn', conv: 'conv' },
      norm: 'bn',
      linear: 'linear',
    },
    newestFirst: true,
    weightInit: 'uniform',
  },
  /**
   * The paper's DenseNet (k = 12) of depth 100, without bottleneck or compression, as andreasveit/densenet-pytorch
   * writes it (`--layers 100 --growth 12 --no-bottleneck --reduce 1.0`): 7,083,538 parameters (decision 0071).
   */
  densenet100: {
    stem: 24,
    growth: 12,
    layers: [32, 32, 32],
    bottleneck: false,
    compression: 1,
    names: {
      stage: (stage) => `block${stage}`,
      denseLayer: (stage, layer) => `block${stage}.layer.${layer}`,
      transition: { norm: 'bn1', conv: 'conv1' },
      norm: 'bn1',
      linear: 'fc',
    },
    newestFirst: false,
    weightInit: (_fanIn, fanOut) => ({ kind: 'normal', std: Math.sqrt(2 / fanOut) }),
    linearInit: (fanIn) => ({ weight: { kind: 'uniform', fanIn }, bias: { kind: 'constant', value: 0 } }),
  },
} as const satisfies Record<string, DenseNetOptions>;

export function densenet(name: string, options: DenseNetOptions, inputShape: ImageShape, classes: number): ModelSpec {
  const { names, layers } = options;
  const net = new SpecBuilder(name, inputShape, classes, options.weightInit, 2 ** (layers.length - 1));
  net.enter({ stage: 'stem', block: 'stem' });
  let x = net.conv(net.input, options.stem, 'conv1', { kernel: 3 });
  for (const [s, count] of layers.entries()) {
    const stage = names.stage(s + 1);
    for (let i = 0; i < count; i++) {
      const layer = names.denseLayer(s + 1, i);
      net.enter({ stage, block: layer });
      const y = denseLayer(net, x, options, layer);
      x = net.concat(options.newestFirst ? [y, x] : [x, y]);
    }
    if (s + 1 < layers.length) {
      const transition = `trans${s + 1}`;
      net.enter({ stage, block: transition });
      x = shrink(net, x, options, transition);
    }
  }
  net.enter({ stage: 'head', block: 'head' });
  x = net.norm(x, names.norm, { relu: true, layer: names.linear });
  net.linear(net.globalAvgPool(x), classes, names.linear, options.linearInit?.(x.channels));
  return net.build();
}

function denseLayer(net: SpecBuilder, x: Cursor, { growth, bottleneck }: DenseNetOptions, name: string): Cursor {
  const first = { norm: `${name}.bn1`, conv: `${name}.conv1` };
  if (!bottleneck) return net.normConv(x, growth, first, { kernel: 3 });
  const inner = net.normConv(x, 4 * growth, first, { kernel: 1 });
  return net.normConv(inner, growth, { norm: `${name}.bn2`, conv: `${name}.conv2` }, { kernel: 3 });
}

function shrink(net: SpecBuilder, x: Cursor, { compression, names }: DenseNetOptions, name: string): Cursor {
  const { norm, conv } = names.transition;
  const channels = Math.floor(x.channels * compression);
  const inside = { norm: `${name}.${norm}`, conv: `${name}.${conv}`, layer: name };
  return net.pool(net.normConv(x, channels, inside, { kernel: 1 }), 'avgPool', { kernel: 2, stride: 2, padding: 0 });
}
