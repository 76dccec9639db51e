import type { Shape, Tensor, Variable } from '../engine.js';
import type { Storage, WasmRuntime } from './runtime.js';

abstract class Stored {
  readonly #runtime: WasmRuntime;
  #storage: Storage | undefined;

  constructor(
    runtime: WasmRuntime,
    storage: Storage,
    readonly shape: Shape,
  ) {
    this.#runtime = runtime;
    this.#storage = storage;
  }

  get storage(): Storage {
    if (!this.#storage) throw new Error(`a tensor of shape [${this.shape.join()}] was used after it was disposed`);
    return this.#storage;
  }

  /** Takes over `storage` and frees what was there. */
  protected swap(storage: Storage | undefined): void {
    if (this.#storage) this.#runtime.free(this.#storage);
    this.#storage = storage;
  }

  dispose(): void {
    this.swap(undefined);
  }
}

export class WasmTensor extends Stored implements Tensor {}

export class WasmVariable extends Stored implements Variable {
  readonly kind = 'variable';

  /** New values in new memory: the backend's convolution would not see a change in place. */
  replace(storage: Storage): void {
    this.swap(storage);
  }
}

export function upload(runtime: WasmRuntime, values: Float32Array | Int32Array, shape: Shape): Storage {
  const float = values instanceof Float32Array;
  const storage = runtime.allocate(shape, float ? 'float32' : 'int32');
  if (storage.size !== values.length) {
    runtime.free(storage);
    throw new Error(`${values.length} values do not fill the shape [${shape.join()}]`);
  }
  if (float) runtime.floats(storage.pointer, storage.size).set(values);
  else runtime.ints(storage.pointer, storage.size).set(values);
  return storage;
}

export function storageOf(value: Tensor | Variable): Storage {
  if (value instanceof Stored) return value.storage;
  throw new Error('this tensor belongs to another engine');
}

export const pointerOf = (value: Tensor | Variable): number => storageOf(value).pointer;
