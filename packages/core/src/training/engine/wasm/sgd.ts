import type { SgdGroup, SgdOptions, Tensor } from '../engine.js';
import type { Storage, WasmRuntime } from './runtime.js';
import { pointerOf, upload, type WasmVariable } from './tensors.js';

export class WasmSgd implements SgdGroup {
  #velocities: readonly Storage[];

  constructor(
    readonly runtime: WasmRuntime,
    readonly variables: readonly WasmVariable[],
    readonly options: SgdOptions,
  ) {
    this.#velocities = variables.map(({ storage, shape }) => upload(runtime, new Float32Array(storage.size), shape));
  }

  step(gradients: readonly Tensor[], learningRate: number): void {
    const { momentum, weightDecay } = this.options;
    for (const [i, velocity] of this.#velocities.entries()) {
      const variable = this.variables[i]!;
      const gradient = pointerOf(gradients[i]!);
      const next = this.runtime.allocate(variable.shape);
      const places = [variable.storage.pointer, velocity.pointer, gradient, next.pointer] as const;
      this.runtime.kernels.sgd(...places, next.size, learningRate, momentum, weightDecay);
      variable.replace(next);
    }
  }

  velocities(): Float32Array[] {
    return this.#velocities.map(({ pointer, size }) => this.runtime.floats(pointer, size).slice());
  }

  load(velocities: readonly Float32Array[]): void {
    for (const [i, { pointer, size }] of this.#velocities.entries()) {
      this.runtime.floats(pointer, size).set(velocities[i]!);
    }
  }

  dispose(): void {
    for (const velocity of this.#velocities) this.runtime.free(velocity);
    this.#velocities = [];
  }
}
