import type { ImageShape, Initial, ModelSpec, Node, ParameterSpec, Source } from './spec.js';

export type WeightInit = 'kaimingNormal' | 'uniform';

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

/** Writes a `ModelSpec` node by node. */
export class SpecBuilder {
  readonly #nodes: Node[] = [];
  readonly #parameters: ParameterSpec[] = [];
  #place: Place = { stage: '', block: '' };

  constructor(
    readonly name: string,
    readonly inputShape: ImageShape,
    readonly classes: number,
    readonly weightInit: WeightInit,
  ) {}

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
    options: { readonly kernel: number; readonly stride: number; readonly relu: boolean },
  ): Cursor {
    const { kernel, stride, relu } = options;
    const layer = names.layer ?? names.conv;
    const fanIn = from.channels * kernel * kernel;
    this.#parameter(`${names.conv}.weight`, [channels, from.channels, kernel, kernel], layer, {
      kind: this.weightInit,
      fanIn,
    });
    const conv = this.#node({
      op: 'conv2d',
      inputs: [from.source],
      name: names.conv,
      stride,
      padding: (kernel - 1) / 2,
    });
    this.#parameter(`${names.norm}.weight`, [channels], layer, { kind: 'constant', value: 1 });
    this.#parameter(`${names.norm}.bias`, [channels], layer, { kind: 'constant', value: 0 });
    this.#parameter(`${names.norm}.running_mean`, [channels], layer, { kind: 'constant', value: 0 }, false);
    this.#parameter(`${names.norm}.running_var`, [channels], layer, { kind: 'constant', value: 1 }, false);
    return { source: this.#node({ op: 'batchNorm', inputs: [conv], name: names.norm, relu }), channels };
  }

  add(a: Cursor, b: Cursor, options: { readonly relu: boolean }): Cursor {
    const inputs: [Source, Source] = [a.source, b.source];
    return { source: this.#node({ op: 'add', inputs, relu: options.relu }), channels: a.channels };
  }

  globalAvgPool(from: Cursor): Cursor {
    return { source: this.#node({ op: 'globalAvgPool', inputs: [from.source] }), channels: from.channels };
  }

  linear(from: Cursor, out: number, name: string): Cursor {
    const fanIn = from.channels;
    this.#parameter(`${name}.weight`, [out, fanIn], name, { kind: this.weightInit, fanIn });
    this.#parameter(`${name}.bias`, [out], name, { kind: 'uniform', fanIn });
    return { source: this.#node({ op: 'linear', inputs: [from.source], name }), channels: out };
  }

  build(): ModelSpec {
    const { name, inputShape, classes } = this;
    return { name, inputShape, classes, nodes: this.#nodes, parameters: this.#parameters };
  }

  #node(node: Node): number {
    return this.#nodes.push(node) - 1;
  }

  #parameter(name: string, shape: readonly number[], layer: string, initial: Initial, trainable = true): void {
    this.#parameters.push({ name, shape, trainable, initial, block: { ...this.#place, layer } });
  }
}
