import type { Rng } from '../evolution/rng.js';
import type { Engine, Tensor, Variable } from './engine/index.js';
import { type Forward, type Layer, layerFor } from './layers.js';
import { type ModelSpec, type ParameterSpec, type Source, sizeOf } from './models/index.js';
import { fromKernelLayout, toKernelLayout, type Weights } from './weights.js';

/**
 * A model on an engine: forward, and backward by calling each layer's gradient in reverse order. Its parameters are zero
 * until `load`.
 */
export class Network {
  readonly #variables = new Map<string, Variable>();
  readonly #layers: readonly Layer[];
  /** For each node, the nodes whose outputs no later node reads: the forward pass is over them. */
  readonly #lastReads: readonly (readonly number[])[];
  /** For each node, whether the backward pass (or the loss) reads its output. */
  readonly #kept: readonly boolean[];
  /** For each node, whether its output is freed all the same, and had again from the last node that reads it. */
  readonly #restored: readonly boolean[];

  constructor(
    readonly engine: Engine,
    readonly spec: ModelSpec,
  ) {
    for (const parameter of spec.parameters) {
      const zeros = new Float32Array(sizeOf(parameter.shape));
      this.#variables.set(parameter.name, engine.variable(zeros, engineShape(parameter)));
    }
    this.#layers = spec.nodes.map((node) => layerFor(node, engine, (name) => this.variable(name)));
    const readers = spec.nodes.map((_, i) => spec.nodes.flatMap((n, j) => (n.inputs.some((s) => s === i) ? [j] : [])));
    this.#lastReads = spec.nodes.map((_, i) => readers.flatMap((js, read) => (js.at(-1) === i ? [read] : [])));
    this.#kept = readers.map(
      (js, i) => js.length === 0 || this.#layers[i]!.keeps.output || js.some((j) => this.#layers[j]!.keeps.input),
    );
    this.#restored = readers.map((js, i) => {
      const last = js.at(-1);
      if (last === undefined || !this.#kept[i] || this.#layers[i]!.keeps.output) return false;
      return this.#layers[last]!.restoreInputs !== undefined && this.#kept[last]!;
    });
  }

  /** A parameter's place on the engine; the network owns it. */
  variable(name: string): Variable {
    const variable = this.#variables.get(name);
    if (!variable) throw new Error(`${this.spec.name} has no parameter ${name}`);
    return variable;
  }

  /** The parameters that `gradients` gives a gradient of, in its order. */
  get trainable(): ParameterSpec[] {
    return this.spec.parameters.filter((parameter) => parameter.trainable);
  }

  /** Replaces all parameters. */
  load(weights: Weights): void {
    for (const parameter of this.spec.parameters) {
      this.engine.assign(this.variable(parameter.name), toEngine(parameter, valuesOf(weights, parameter)));
    }
  }

  /** A copy of all parameters. */
  weights(): Weights {
    return new Map(
      this.spec.parameters.map((p) => [p.name, fromEngine(p, this.engine.read(this.variable(p.name)))] as const),
    );
  }

  /**
   * In eval mode: batch norm uses its running statistics.
   * @param x `[N, H, W, C]`, borrowed.
   * @returns `[N, classes]`; the caller disposes.
   */
  logits(x: Tensor): Tensor {
    const outputs: Tensor[] = [];
    for (const [i, layer] of this.#layers.entries()) {
      outputs.push(layer.infer(this.#inputs(i, x, outputs)));
      for (const source of this.#lastReads[i]!) outputs[source]!.dispose();
    }
    return outputs.at(-1)!;
  }

  /**
   * In train mode, moving running statistics.
   * @param x `[N, H, W, C]`, borrowed.
   * @param labels of `Engine.labels`, borrowed.
   * @param rng draws what is dropped; without it nothing is.
   * @returns `loss` `[N]`, one an image; the mean loss's gradients in the order of `trainable`. The caller disposes.
   */
  gradients(x: Tensor, labels: Tensor, rng?: Rng): { loss: Tensor; gradients: Tensor[] } {
    const forward = this.#forward(x, rng);
    const logits = forward.at(-1)!.y;
    const { loss, dLogits } = this.engine.softmaxCrossEntropy(logits, labels);
    return { loss, gradients: this.#backward(x, forward, dLogits) };
  }

  /**
   * A forward pass in train mode, for the running statistics that it moves.
   * @param x `[N, H, W, C]`, borrowed.
   * @param rng as in `gradients`.
   */
  observe(x: Tensor, rng?: Rng): void {
    for (const [i, { y, saved }] of this.#forward(x, rng).entries()) {
      for (const tensor of saved) tensor.dispose();
      if (this.#kept[i] && !this.#restored[i]) y.dispose();
    }
  }

  dispose(): void {
    for (const variable of this.#variables.values()) variable.dispose();
  }

  #forward(x: Tensor, rng: Rng | undefined): Forward[] {
    const forward: Forward[] = [];
    const outputs: Tensor[] = [];
    for (const [i, layer] of this.#layers.entries()) {
      const result = layer.train(this.#inputs(i, x, outputs), rng);
      forward.push(result);
      outputs.push(result.y);
      for (const source of this.#lastReads[i]!) {
        if (!this.#kept[source] || this.#restored[source]) outputs[source]!.dispose();
      }
    }
    return forward;
  }

  /** Consumes `forward` and `dLogits`. */
  #backward(x: Tensor, forward: readonly Forward[], dLogits: Tensor): Tensor[] {
    const { nodes } = this.spec;
    const outputs = forward.map(({ y }) => y);
    const gradients: (readonly Tensor[])[] = [];
    /** dL/dy of the nodes still to come. One tensor may await several: an addition hands the same to both inputs. */
    const pending: (Tensor | undefined)[] = nodes.map(() => undefined);
    pending[nodes.length - 1] = dLogits;
    for (let i = nodes.length - 1; i >= 0; i--) {
      const sources = nodes[i]!.inputs;
      const dy = pending[i]!;
      pending[i] = undefined;
      this.#restore(i, outputs);
      const wantInput = sources.some((source) => source !== 'input');
      const { inputs, weights } = this.#layers[i]!.grad(dy, this.#inputs(i, x, outputs), forward[i]!, wantInput);
      gradients.push(weights);
      const seen = new Set([dy, ...inputs]);
      for (const [k, source] of sources.entries()) {
        if (source === 'input') continue;
        const others = pending[source];
        if (others) seen.add(others);
        pending[source] = others ? this.engine.add(others, inputs[k]!) : inputs[k]!;
      }
      for (const tensor of seen) if (!pending.includes(tensor)) tensor.dispose();
      for (const tensor of forward[i]!.saved) tensor.dispose();
      if (this.#kept[i]) outputs[i]!.dispose();
    }
    return gradients.reverse().flat();
  }

  /** Puts the outputs that the forward pass freed back into their places, where node `i` read them last. */
  #restore(i: number, outputs: Tensor[]): void {
    const sources = this.spec.nodes[i]!.inputs;
    const wanted = (source: Source) =>
      source !== 'input' && this.#restored[source] === true && this.#lastReads[i]!.includes(source);
    if (!sources.some(wanted)) return;
    const restored = this.#layers[i]!.restoreInputs!(outputs[i]!, this.#inputs(i, outputs[i]!, outputs));
    for (const [k, source] of sources.entries()) {
      if (source !== 'input' && wanted(source)) outputs[source] = restored[k]!;
      else restored[k]!.dispose();
    }
  }

  #inputs(node: number, x: Tensor, outputs: readonly Tensor[]): Tensor[] {
    return this.spec.nodes[node]!.inputs.map((source) => (source === 'input' ? x : outputs[source]!));
  }
}

function valuesOf(weights: Weights, parameter: ParameterSpec): Float32Array {
  const values = weights.get(parameter.name);
  if (values?.length !== sizeOf(parameter.shape)) {
    throw new Error(`${parameter.name}: got ${values?.length ?? 'no'} values, wanted ${sizeOf(parameter.shape)}`);
  }
  return values;
}

const isKernel = (parameter: ParameterSpec): boolean => parameter.shape.length === 4;

function engineShape({ shape }: ParameterSpec): readonly number[] {
  const [cOut, cIn, kH, kW] = shape as [number, number, number, number];
  return shape.length === 4 ? [kH, kW, cIn, cOut] : shape;
}

const toEngine = (parameter: ParameterSpec, values: Float32Array): Float32Array =>
  isKernel(parameter) ? toKernelLayout(values, parameter.shape) : values;

const fromEngine = (parameter: ParameterSpec, values: Float32Array): Float32Array =>
  isKernel(parameter) ? fromKernelLayout(values, parameter.shape) : values;
