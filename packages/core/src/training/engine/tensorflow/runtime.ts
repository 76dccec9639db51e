import { createRequire } from 'node:module';
import util from 'node:util';
import type { TFEOpAttr, TFJSBinding } from '@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js';
import { EngineUnavailableError, NesgdError } from '../../../errors.js';
import { processorHasBfloat16 } from '../../../machine/index.js';
import type { Device, Means, Precision } from '../../../protocol/index.js';
import { tensorflowEnvironment } from './environment.js';

/**
 * TensorFlow's operations as TensorFlow.js's native binding offers them: by name, on handles that are plain numbers.
 * Calling them so skips TensorFlow.js's tensors, scopes and gradient tape (decision 0040).
 */
export class TensorFlowRuntime {
  readonly #binding: TFJSBinding;
  /** Makes attributes of operations. */
  readonly attr: ReturnType<typeof attributeMakers>;
  /** `[{ T: float32 }]`, all that most operations ask for. */
  readonly float32: TFEOpAttr[];
  /** Whether the operations of packages/core/native are there: on a CPU, with the binding that `npm run setup` builds. */
  readonly fused: boolean;
  /** Whether 3x3 convolutions by Winograd's algorithm are among them: they want AVX-512, or AVX2 and FMA. */
  readonly winograd: boolean;
  /** Operations are chosen as for a card, where some of TensorFlow's have no fixed order of sums. */
  readonly asOnCard: boolean;
  readonly #attributes: Map<string, TFEOpAttr[]>;
  readonly #constants: Map<string, number>;
  #resources = 0;

  /** @param original whose constants it shares, being the same without fused operations. */
  constructor(
    binding: TFJSBinding,
    /** What convolutions multiply in; all else is float32. */
    readonly precision: Precision,
    original?: TensorFlowRuntime,
  ) {
    this.#binding = binding;
    this.#attributes = original ? original.#attributes : new Map();
    this.#constants = original ? original.#constants : new Map();
    this.attr = attributeMakers(binding);
    this.float32 = [this.attr.float32('T')];
    this.fused = !original && this.device === 'CPU' && this.#hasFusedOperations();
    this.winograd = this.fused && this.#hasWinograd();
    this.asOnCard = original !== undefined || this.device === 'GPU';
  }

  /** The same with the operations that a card would run. */
  plain(): TensorFlowRuntime {
    return new TensorFlowRuntime(this.#binding, this.precision, this);
  }

  get version(): string {
    return this.#binding.TF_Version;
  }

  get device(): 'CPU' | 'GPU' {
    return this.#binding.isUsingGpuDevice() ? 'GPU' : 'CPU';
  }

  /** Runs an operation. @returns one handle an output; each must be deleted. */
  run(op: string, attributes: TFEOpAttr[], inputs: number[], outputs: number): number[] {
    const results = this.#binding.executeOp(op, attributes, inputs, outputs);
    const handles = new Array<number>(outputs);
    for (let i = 0; i < outputs; i++) handles[i] = results[i]!.id;
    return handles;
  }

  /** `run` for the many operations with one output. */
  run1(op: string, attributes: TFEOpAttr[], inputs: number[]): number {
    return this.#binding.executeOp(op, attributes, inputs, 1)[0]!.id;
  }

  /**
   * The binding may go on using the array's own memory: the caller gives it away.
   * @returns a handle.
   */
  create(values: Float32Array | Int32Array, shape: readonly number[]): number {
    const dtype = values instanceof Float32Array ? this.#binding.TF_FLOAT : this.#binding.TF_INT32;
    return this.#binding.createTensor([...shape], dtype, values);
  }

  delete(handle: number): void {
    this.#binding.deleteTensor(handle);
  }

  /** A copy of the values. */
  read(handle: number): Float32Array {
    return this.#binding.tensorDataSync(handle) as Float32Array;
  }

  /** The attributes that `make` made when the key first came: a step asks for the same few hundreds of times. */
  attributes(key: string, make: (attr: TensorFlowRuntime['attr']) => TFEOpAttr[]): TFEOpAttr[] {
    let attributes = this.#attributes.get(key);
    if (!attributes) {
      attributes = make(this.attr);
      this.#attributes.set(key, attributes);
    }
    return attributes;
  }

  /** A constant int32 tensor such as a shape; it belongs to the runtime. */
  ints(values: readonly number[], shape: readonly number[] = [values.length]): number {
    return this.#constant(`${values.join()}:${shape.join()}`, () => this.create(Int32Array.from(values), shape));
  }

  /** A constant float32 scalar; it belongs to the runtime. */
  scalar(value: number): number {
    return this.#constant(`${value}`, () => this.create(Float32Array.of(value), []));
  }

  #hasFusedOperations(): boolean {
    const slices = [this.attr.bool('relu', false), this.attr.int('offsets', [0, 0]), this.attr.int('channels', [1, 1])];
    return this.#works('NesgdAdd', slices, [[1], [1]]);
  }

  #hasWinograd(): boolean {
    const shapes = [
      [1, 2, 2, 16],
      [3, 3, 16, 16],
    ];
    return this.#works('NesgdConv3x3', [this.attr.bool('turned', false)], shapes);
  }

  /** Whether an operation does on zeros of these shapes. */
  #works(op: string, attributes: TFEOpAttr[], shapes: readonly (readonly number[])[]): boolean {
    const inputs = shapes.map((shape) => this.create(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape));
    try {
      this.delete(this.run1(op, attributes, inputs));
      return true;
    } catch {
      return false;
    } finally {
      for (const input of inputs) this.delete(input);
    }
  }

  #constant(key: string, make: () => number): number {
    let handle = this.#constants.get(key);
    if (handle === undefined) {
      handle = make();
      this.#constants.set(key, handle);
    }
    return handle;
  }

  /** A name for a resource that nobody else in this process has. */
  uniqueName(): string {
    return `nesgd-${this.#resources++}`;
  }

  /** Handles not yet deleted, the runtime's own constants apart. */
  get liveHandles(): number {
    return this.#binding.getNumOfTensors() - this.#constants.size;
  }
}

function attributeMakers(binding: TFJSBinding) {
  const typed = (type: number) => (name: string, value: TFEOpAttr['value']) => ({ name, type, value });
  const type = typed(binding.TF_ATTR_TYPE);
  return {
    int: typed(binding.TF_ATTR_INT),
    float: typed(binding.TF_ATTR_FLOAT),
    bool: typed(binding.TF_ATTR_BOOL),
    string: typed(binding.TF_ATTR_STRING),
    shape: (name: string, shape: readonly number[]) => typed(binding.TF_ATTR_SHAPE)(name, [...shape]),
    float32: (name: string) => type(name, binding.TF_FLOAT),
    int32: (name: string) => type(name, binding.TF_INT32),
    bfloat16: (name: string) => type(name, TF_BFLOAT16),
  };
}

/** `TF_BFLOAT16` of TensorFlow's `tf_datatype.h`, which the binding does not name. */
const TF_BFLOAT16 = 14;

let loaded: { runtime: TensorFlowRuntime; threads: number; device: Device; precision: Precision } | undefined;

/**
 * Loads the native library, once a process.
 * @param threads of one operation. TensorFlow takes the number, and all that `tensorflowEnvironment` says, when it
 *   loads and never again.
 * @throws EngineUnavailableError where the native runtime is missing or does not load, or lacks the device or precision.
 */
export function loadTensorFlow(threads: number, { device, precision }: Means): TensorFlowRuntime {
  if (loaded) {
    if (loaded.threads === threads && loaded.device === device && loaded.precision === precision) {
      return loaded.runtime;
    }
    throw new NesgdError(
      'ENGINE_THREADS',
      `this process runs TensorFlow with ${loaded.threads} threads (${loaded.device}, ${loaded.precision}), which cannot become ${threads} (${device}, ${precision}): start another process`,
    );
  }
  if (precision === 'bfloat16' && !processorHasBfloat16()) {
    throw new EngineUnavailableError('tensorflow', 'the job wants precision bfloat16, which this processor lacks');
  }
  for (const [name, value] of Object.entries(tensorflowEnvironment({ threads, device, precision }, process.env))) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  // Node 23 removed this function, which TensorFlow.js 4.22 still calls (tfjs issue 8609).
  const legacy = util as { isNullOrUndefined?: (value: unknown) => boolean };
  legacy.isNullOrUndefined ??= (value) => value === null || value === undefined;
  let binding: TFJSBinding;
  try {
    // `require`, because the package looks for its binding beside itself with CommonJS means.
    const tf = createRequire(import.meta.url)('@tensorflow/tfjs-node-gpu') as {
      backend(): { binding: TFJSBinding };
    };
    binding = tf.backend().binding;
  } catch (cause) {
    throw new EngineUnavailableError('tensorflow', cause);
  }
  const runtime = new TensorFlowRuntime(binding, precision);
  if (device === 'gpu' && runtime.device !== 'GPU') {
    throw new EngineUnavailableError('tensorflow', 'the job is for a card (GPU), and TensorFlow finds none it can use');
  }
  loaded = { runtime, threads, device, precision };
  return runtime;
}
