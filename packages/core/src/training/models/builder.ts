import { ImageSizeError } from '../../errors.js';
import type { ImageShape, Initial, ModelSpec, Node, ParameterSpec, PoolNode, Source } from './spec.js';

/** How fresh weights of convolutions and linear layers are drawn: by fan-in, or by a rule of the network's own. */
export type WeightInit = 'kaimingNormal' | 'uniform' | ((fanIn: number, fanOut: number) => Initial);

/** A place in the network: where the next nodes' outputs come from, and how many channels they have. */
export interface Cursor {
  readonly source: Source;
  readonly channels: number;
}

/** Which stage and block the parameters added next belong to. */
export interface Place {
  readonly stage: string;
  readonly block: string;
}

export interface ConvOptions {
  readonly kernel: number;
  readonly stride?: number;
  readonly groups?: number;
}

const ZERO: Initial = { kind: 'constant', value: 0 };
const ONE: Initial = { kind: 'constant', value: 1 };

/** Writes a `ModelSpec` node by node. Convolutions pad so that stride 1 keeps the size. */
export class SpecBuilder {
  readonly #nodes: Node[] = [];
  readonly #parameters: ParameterSpec[] = [];
  #place: Place = { stage: '', block: '' };

  /**
   * @param smallest height and width that the network can shrink as often as it does.
   * @throws ImageSizeError for smaller images.
   */
  constructor(
    readonly name: string,
    readonly inputShape: ImageShape,
    readonly classes: number,
    readonly weightInit: WeightInit,
    smallest = 1,
  ) {
    const [height, width] = inputShape;
    if (Math.min(height, width) < smallest) throw new ImageSizeError(name, height, width, smallest);
  }

  get input(): Cursor {
    return { source: 'input', channels: this.inputShape[2] };
  }

  enter(place: Place): void {
    this.#place = place;
  }

  /**
   * A convolution without bias, then batch norm: one block at granularity `layer`.
   * @param names PyTorch's for the two, and the layer's own (by default the convolution's).
   */
  convNorm(
    from: Cursor,
    channels: number,
    names: { readonly conv: string; readonly norm: string; readonly layer?: string },
    options: ConvOptions & { readonly relu: boolean },
  ): Cursor {
    const layer = names.layer ?? names.conv;
    const y = this.conv(from, channels, names.conv, options, layer);
    return this.norm(y, names.norm, { relu: options.relu, layer });
  }

  /** Batch norm and ReLU, then a convolution without bias (He et al. 2016, "pre-activation"): one layer. */
  normConv(
    from: Cursor,
    channels: number,
    names: { readonly conv: string; readonly norm: string; readonly layer?: string },
    options: ConvOptions,
  ): Cursor {
    const layer = names.layer ?? names.conv;
    return this.conv(this.norm(from, names.norm, { relu: true, layer }), channels, names.conv, options, layer);
  }

  /** A convolution with bias and ReLU: one layer. */
  convBias(from: Cursor, channels: number, name: string, options: ConvOptions): Cursor {
    const conv = this.conv(from, channels, name, options);
    this.#parameter(`${name}.bias`, [channels], name, ZERO);
    return { source: this.#node({ op: 'bias', inputs: [conv.source], name, relu: true }), channels };
  }

  /** A convolution without bias. @param layer to which it belongs at granularity `layer`. */
  conv(from: Cursor, channels: number, name: string, options: ConvOptions, layer = name): Cursor {
    const { kernel, stride = 1, groups = 1 } = options;
    const shape = [channels, from.channels / groups, kernel, kernel];
    const area = kernel * kernel;
    this.#parameter(`${name}.weight`, shape, layer, this.#weight(shape[1]! * area, channels * area));
    const padding = (kernel - 1) / 2;
    const source = this.#node({ op: 'conv2d', inputs: [from.source], name, stride, padding, groups });
    return { source, channels };
  }

  norm(from: Cursor, name: string, { relu, layer }: { readonly relu: boolean; readonly layer: string }): Cursor {
    const { channels } = from;
    this.#parameter(`${name}.weight`, [channels], layer, ONE);
    this.#parameter(`${name}.bias`, [channels], layer, ZERO);
    this.#parameter(`${name}.running_mean`, [channels], layer, ZERO, false);
    this.#parameter(`${name}.running_var`, [channels], layer, ONE, false);
    return { source: this.#node({ op: 'batchNorm', inputs: [from.source], name, relu }), channels };
  }

  add(a: Cursor, b: Cursor, options: { readonly relu: boolean }): Cursor {
    const inputs: [Source, Source] = [a.source, b.source];
    return { source: this.#node({ op: 'add', inputs, relu: options.relu }), channels: a.channels };
  }

  /** Of one input, that input. */
  mean(inputs: readonly Cursor[]): Cursor {
    const [first] = inputs as [Cursor];
    if (inputs.length === 1) return first;
    const sources = inputs.map(({ source }) => source);
    return { source: this.#node({ op: 'mean', inputs: sources }), channels: first.channels };
  }

  concat(inputs: readonly Cursor[]): Cursor {
    const source = this.#node({ op: 'concat', inputs: inputs.map((input) => input.source) });
    return { source, channels: inputs.reduce((sum, { channels }) => sum + channels, 0) };
  }

  dualPath(a: Cursor, b: Cursor, residual: number): Cursor {
    const source = this.#node({ op: 'dualPath', inputs: [a.source, b.source], residual });
    return { source, channels: a.channels + b.channels - residual };
  }

  pool(from: Cursor, op: PoolNode['op'], window: Pick<PoolNode, 'kernel' | 'stride' | 'padding'>): Cursor {
    return { source: this.#node({ op, inputs: [from.source], ...window }), channels: from.channels };
  }

  dropout(from: Cursor, rate: number): Cursor {
    return { source: this.#node({ op: 'dropout', inputs: [from.source], rate }), channels: from.channels };
  }

  globalAvgPool(from: Cursor): Cursor {
    return { source: this.#node({ op: 'globalAvgPool', inputs: [from.source] }), channels: from.channels };
  }

  /** @param initial where it is not the network's own rule, and PyTorch's default for the bias. */
  linear(
    from: Cursor,
    out: number,
    name: string,
    initial: { readonly weight?: Initial; readonly bias?: Initial } = {},
  ): Cursor {
    const fanIn = from.channels;
    this.#parameter(`${name}.weight`, [out, fanIn], name, initial.weight ?? this.#weight(fanIn, out));
    this.#parameter(`${name}.bias`, [out], name, initial.bias ?? { kind: 'uniform', fanIn });
    return { source: this.#node({ op: 'linear', inputs: [from.source], name }), channels: out };
  }

  build(): ModelSpec {
    const { name, inputShape, classes } = this;
    return { name, inputShape, classes, nodes: this.#nodes, parameters: this.#parameters };
  }

  #weight(fanIn: number, fanOut: number): Initial {
    const { weightInit } = this;
    return typeof weightInit === 'string' ? { kind: weightInit, fanIn } : weightInit(fanIn, fanOut);
  }

  #node(node: Node): number {
    return this.#nodes.push(node) - 1;
  }

  #parameter(name: string, shape: readonly number[], layer: string, initial: Initial, trainable = true): void {
    this.#parameters.push({ name, shape, trainable, initial, block: { ...this.#place, layer } });
  }
}
