import type { TFEOpAttr } from '@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js';
import type { Shape, Tensor, Variable } from '../engine.js';
import type { TensorFlowRuntime } from './runtime.js';
import { copyOfSlice, type Place } from './slices.js';

/** A handle that several tensors share: freed with the last of them. */
class SharedHandle {
  #owners = 1;

  constructor(
    readonly runtime: TensorFlowRuntime,
    readonly handle: number,
  ) {}

  share(): SharedHandle {
    this.#owners++;
    return this;
  }

  release(): void {
    if (--this.#owners === 0) this.runtime.delete(this.handle);
  }
}

/** All values of a handle, or the slice of channels that it was cut out as. A slice is copied when somebody wants a handle. */
export class TensorFlowTensor implements Tensor {
  #shared: SharedHandle;
  #offset: number;

  constructor(
    readonly runtime: TensorFlowRuntime,
    handle: number | SharedHandle,
    readonly shape: Shape,
    offset = -1,
  ) {
    this.#shared = typeof handle === 'number' ? new SharedHandle(runtime, handle) : handle;
    this.#offset = offset;
  }

  /** Of these values and no others. */
  get handle(): number {
    if (this.#offset >= 0) {
      const copy = copyOfSlice(this.runtime, this.place);
      this.#shared.release();
      this.#shared = new SharedHandle(this.runtime, copy);
      this.#offset = -1;
    }
    return this.#shared.handle;
  }

  get place(): Place {
    return { handle: this.#shared.handle, offset: Math.max(0, this.#offset), channels: this.shape.at(-1)! };
  }

  /** Channels `offset` to `offset + channels`, where they are. */
  slice(offset: number, channels: number): TensorFlowTensor {
    const shape = this.shape.with(-1, channels);
    return new TensorFlowTensor(this.runtime, this.#shared.share(), shape, Math.max(0, this.#offset) + offset);
  }

  dispose(): void {
    this.#shared.release();
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

export const placeOf = (tensor: Tensor): Place => (tensor as TensorFlowTensor).place;
export const handleOf = (tensor: Tensor): number => (tensor as TensorFlowTensor).handle;
export const viewOf = (variable: Variable): number => (variable as TensorFlowVariable).view;
