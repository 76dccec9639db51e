import type { TFEOpAttr } from '@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js';
import type { Shape, Tensor, Variable } from '../engine.js';
import type { TensorFlowRuntime } from './runtime.js';

export class TensorFlowTensor implements Tensor {
  constructor(
    readonly runtime: TensorFlowRuntime,
    readonly handle: number,
    readonly shape: Shape,
  ) {}

  dispose(): void {
    this.runtime.delete(this.handle);
  }
}

/** A resource variable: SGD changes it in place. */
export class TensorFlowVariable implements Variable {
  readonly kind = 'variable';
  readonly resource: number;
  readonly #runtime: TensorFlowRuntime;
  readonly #dtype: TFEOpAttr[];
  /** The current values as a tensor, which shares the variable's memory; -1 while there is none. */
  #view = -1;

  constructor(
    runtime: TensorFlowRuntime,
    values: Float32Array,
    readonly shape: Shape,
  ) {
    const { attr } = runtime;
    this.#runtime = runtime;
    this.#dtype = [attr.float32('dtype')];
    const identity = [attr.string('container', ''), attr.string('shared_name', runtime.uniqueName())];
    this.resource = runtime.run1('VarHandleOp', [...identity, ...this.#dtype, attr.shape('shape', shape)], []);
    this.assign(values);
  }

  get view(): number {
    if (this.#view < 0) this.#view = this.#runtime.run1('ReadVariableOp', this.#dtype, [this.resource]);
    return this.#view;
  }

  /** To be called before an update in place: TensorFlow would copy a variable whose memory a view still shares. */
  dropView(): void {
    if (this.#view >= 0) this.#runtime.delete(this.#view);
    this.#view = -1;
  }

  assign(values: Float32Array): void {
    this.assignHandle(this.#runtime.create(values.slice(), this.shape));
  }

  /** Takes over the handle. */
  assignHandle(handle: number): void {
    this.dropView();
    this.#runtime.run('AssignVariableOp', this.#dtype, [this.resource, handle], 0);
    this.#runtime.delete(handle);
  }

  dispose(): void {
    this.dropView();
    this.#runtime.run('DestroyResourceOp', [], [this.resource], 0);
    this.#runtime.delete(this.resource);
  }
}

export const handleOf = (tensor: Tensor): number => (tensor as TensorFlowTensor).handle;
export const viewOf = (variable: Variable): number => (variable as TensorFlowVariable).view;
