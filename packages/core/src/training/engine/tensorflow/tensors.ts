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

/** A tensor that can be replaced; and, once SGD asks for it, a resource variable of TensorFlow's that changes in place. */
export class TensorFlowVariable implements Variable {
  readonly kind = 'variable';
  readonly #runtime: TensorFlowRuntime;
  readonly #dtype: TFEOpAttr[];
  /** Handle of the current values (of a resource they share the memory); -1 while there is none. */
  #view = -1;
  #resource = -1;

  constructor(
    runtime: TensorFlowRuntime,
    values: Float32Array,
    readonly shape: Shape,
  ) {
    this.#runtime = runtime;
    this.#dtype = [runtime.attr.float32('dtype')];
    this.assign(values);
  }

  get view(): number {
    if (this.#view < 0) this.#view = this.#runtime.run1('ReadVariableOp', this.#dtype, [this.#resource]);
    return this.#view;
  }

  assign(values: Float32Array): void {
    this.assignHandle(this.#runtime.create(values.slice(), this.shape));
  }

  /** Takes over the handle. */
  assignHandle(handle: number): void {
    this.#dropView();
    if (this.#resource < 0) {
      this.#view = handle;
    } else {
      this.#runtime.run('AssignVariableOp', this.#dtype, [this.#resource, handle], 0);
      this.#runtime.delete(handle);
    }
  }

  /** The resource, to be updated right away. */
  resourceForUpdate(): number {
    if (this.#resource < 0) {
      const rt = this.#runtime;
      const { attr } = rt;
      const identity = [attr.string('container', ''), attr.string('shared_name', rt.uniqueName())];
      const resource = rt.run1('VarHandleOp', [...identity, ...this.#dtype, attr.shape('shape', this.shape)], []);
      rt.run('AssignVariableOp', this.#dtype, [resource, this.view], 0);
      this.#resource = resource;
    }
    // TensorFlow would copy a variable whose memory a view still shares.
    this.#dropView();
    return this.#resource;
  }

  dispose(): void {
    this.#dropView();
    if (this.#resource < 0) return;
    this.#runtime.run('DestroyResourceOp', [], [this.#resource], 0);
    this.#runtime.delete(this.#resource);
  }

  #dropView(): void {
    if (this.#view >= 0) this.#runtime.delete(this.#view);
    this.#view = -1;
  }
}

export const handleOf = (tensor: Tensor): number => (tensor as TensorFlowTensor).handle;
export const viewOf = (variable: Variable): number => (variable as TensorFlowVariable).view;
