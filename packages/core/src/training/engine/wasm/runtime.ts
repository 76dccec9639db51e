import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type { KernelFunc, TensorInfo } from '@tensorflow/tfjs-core';
import { EngineUnavailableError, WasmMemoryError } from '../../../errors.js';
import type { ConvGeometry, Shape } from '../engine.js';
import { KERNELS_BASE64 } from './kernels.generated.js';
import type { Kernels } from './kernels.js';

/** What is used of the platform's WebAssembly, which Node's types leave out. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: { env: { memory: Memory } }) => { exports: unknown };
};
interface Memory {
  /** Another one after each growth. */
  readonly buffer: ArrayBuffer;
}

/** What is used of the backend's Emscripten module. */
interface Emscripten {
  readonly asm: { readonly memory: Memory };
  _malloc(bytes: number): number;
  _free(pointer: number): void;
}

/** A place in WebAssembly's memory that TensorFlow.js knows as a tensor. */
export interface Storage {
  readonly info: TensorInfo;
  /** Address of its first byte. */
  readonly pointer: number;
  /** Number of elements. */
  readonly size: number;
}

/**
 * The memory of TensorFlow.js's WebAssembly backend and what computes in it: the backend's own convolution (XNNPACK),
 * and our kernels for what the backend lacks or does slowly (decision 0050). Kernels are called directly, so neither
 * TensorFlow.js's active backend nor its scopes and tape are touched (decision 0051).
 */
export class WasmRuntime {
  readonly kernels: Kernels;
  readonly #backend: BackendWasm;
  readonly #wasm: Emscripten;
  readonly #conv2d: KernelFunc;
  #live = 0;
  #scratch = 0;
  #scratchBytes = 0;

  constructor(backend: BackendWasm, conv2d: KernelFunc) {
    this.#backend = backend;
    this.#conv2d = conv2d;
    this.#wasm = emscriptenOf(backend);
    const module = new WebAssembly.Module(Buffer.from(KERNELS_BASE64, 'base64'));
    const imports = { env: { memory: this.#wasm.asm.memory } };
    this.kernels = new WebAssembly.Instance(module, imports).exports as Kernels;
  }

  get liveTensors(): number {
    return this.#live;
  }

  /** Room with undefined contents. @throws WasmMemoryError */
  allocate(shape: Shape, dtype: 'float32' | 'int32' = 'float32'): Storage {
    return this.#adopt(this.#backend.makeOutput([...shape], dtype));
  }

  free(storage: Storage): void {
    this.#live -= 1;
    this.#backend.disposeData(storage.info.dataId);
  }

  /** The memory itself: good until the next allocation, which may move it. */
  floats(pointer: number, size: number): Float32Array {
    return new Float32Array(this.#wasm.asm.memory.buffer, pointer, size);
  }

  ints(pointer: number, size: number): Int32Array {
    return new Int32Array(this.#wasm.asm.memory.buffer, pointer, size);
  }

  /** Room for use within one operation: the next call may give the same. @throws WasmMemoryError */
  scratch(bytes: number): number {
    if (bytes > this.#scratchBytes) {
      if (this.#scratch !== 0) this.#wasm._free(this.#scratch);
      this.#scratchBytes = 0;
      this.#scratch = this.#wasm._malloc(bytes) >>> 0;
      this.#scratchBytes = bytes;
    }
    return this.#scratch;
  }

  /**
   * The backend's convolution, with its own rows and columns of zeros for each side.
   * It keeps a packed copy of `kernel` for as long as that lives and does not see later changes to its values.
   */
  conv2d(x: TensorInfo, kernel: TensorInfo, stride: number, padding: Sides | ConvGeometry['padding']): Storage {
    const pad =
      typeof padding === 'number' ? { top: padding, bottom: padding, left: padding, right: padding } : padding;
    const attrs = {
      strides: [stride, stride],
      dilations: [1, 1],
      pad: [
        [0, 0],
        [pad.top, pad.bottom],
        [pad.left, pad.right],
        [0, 0],
      ],
      dataFormat: 'NHWC',
      dimRoundingMode: 'floor',
    };
    return this.#adopt(this.#conv2d({ inputs: { x, filter: kernel }, attrs, backend: this.#backend }) as TensorInfo);
  }

  #adopt(info: TensorInfo): Storage {
    this.#live += 1;
    const size = info.shape.reduce((product, length) => product * length, 1);
    return { info, pointer: this.#backend.getMemoryOffset(info.dataId), size };
  }
}

export interface Sides {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

interface Loaded {
  readonly rt: WasmRuntime;
  /** Of the backend's package. */
  readonly version: string;
}

let loading: Promise<Loaded> | undefined;

/**
 * One a process: the backend's kernels are bound to one instance.
 * @throws EngineUnavailableError where WebAssembly SIMD or the package is missing.
 */
export function loadWasm(): Promise<Loaded> {
  loading ??= load().catch((cause: unknown) => {
    loading = undefined;
    throw new EngineUnavailableError('wasm', cause);
  });
  return loading;
}

async function load(): Promise<Loaded> {
  const tf = await import('@tensorflow/tfjs-core');
  const { setWasmPaths, setThreadsCount, version_wasm: version } = await import('@tensorflow/tfjs-backend-wasm');
  if (!(await tf.env().getAsync('WASM_HAS_SIMD_SUPPORT'))) throw new Error('this machine lacks WebAssembly SIMD');
  setWasmPaths(`${dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'))}/`);
  setThreadsCount(1);
  const backend = (await tf.findBackendFactory('wasm')()) as BackendWasm;
  refuseNullPointers(emscriptenOf(backend));
  const conv2d = tf.getKernel('Conv2D', 'wasm');
  conv2d.setupFunc?.(backend);
  return { rt: new WasmRuntime(backend, conv2d.kernelFunc), version };
}

const emscriptenOf = (backend: BackendWasm): Emscripten => backend.wasm as unknown as Emscripten;

/** For want of memory, Emscripten's malloc returns 0, which the backend would take for an address. */
function refuseNullPointers(wasm: Emscripten): void {
  // Emscripten's stub puts the true function into its place when first called.
  wasm._free(wasm._malloc(1));
  const malloc = wasm._malloc;
  wasm._malloc = (bytes: number): number => {
    // Sizes cross as 32 bits: a larger one would be cut off and succeed.
    const pointer = bytes < 2 ** 32 ? malloc(bytes) : 0;
    if (pointer === 0 && bytes > 0) throw new WasmMemoryError(bytes);
    return pointer;
  };
}
