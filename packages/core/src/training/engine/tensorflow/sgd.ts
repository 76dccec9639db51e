import { sizeOf } from '../../models/index.js';
import type { SgdGroup, SgdOptions, Tensor } from '../engine.js';
import type { TensorFlowRuntime } from './runtime.js';
import { handleOf, TensorFlowVariable } from './tensors.js';

/**
 * On a CPU, variables up to this size are updated here instead of by TensorFlow: two copies and a loop take 3 us, four
 * operations 20 us or more, and most variables of a network are batch norm's short vectors (decision 0048).
 */
const LARGEST_ON_HOST = 1024;

/** All variables in one operation, in place (packages/core/native). */
export class FusedSgd implements SgdGroup {
  #velocities: readonly number[];

  constructor(
    readonly runtime: TensorFlowRuntime,
    readonly variables: readonly TensorFlowVariable[],
    readonly options: SgdOptions,
  ) {
    this.#velocities = variables.map(({ shape }) => runtime.create(new Float32Array(sizeOf(shape)), shape));
  }

  step(gradients: readonly Tensor[], learningRate: number): void {
    const rt = this.runtime;
    const { momentum, weightDecay } = this.options;
    const attributes = rt.attributes(`sgd ${this.variables.length} ${momentum} ${weightDecay}`, (attr) => [
      attr.int('N', this.variables.length),
      attr.float('momentum', momentum),
      attr.float('weight_decay', weightDecay),
    ]);
    // Not a cached scalar: a schedule gives ever new learning rates.
    const rate = rt.create(Float32Array.of(learningRate), []);
    const weights = this.variables.map(({ view }) => view);
    rt.run('NesgdSgd', attributes, [...weights, ...this.#velocities, ...gradients.map(handleOf), rate], 0);
    rt.delete(rate);
  }

  velocities(): Float32Array[] {
    return this.#velocities.map((handle) => this.runtime.read(handle).slice());
  }

  load(velocities: readonly Float32Array[]): void {
    this.dispose();
    this.#velocities = this.variables.map(({ shape }, i) => this.runtime.create(velocities[i]!, shape));
  }

  dispose(): void {
    for (const handle of this.#velocities) this.runtime.delete(handle);
  }
}

/** On a card, or without operations of our own. */
export class TensorFlowSgd implements SgdGroup {
  readonly #velocities: readonly (Float32Array | TensorFlowVariable)[];

  constructor(
    readonly runtime: TensorFlowRuntime,
    readonly variables: readonly TensorFlowVariable[],
    readonly options: SgdOptions,
  ) {
    this.#velocities = variables.map(({ shape }) => {
      const zeros = new Float32Array(sizeOf(shape));
      const onHost = runtime.device === 'CPU' && zeros.length <= LARGEST_ON_HOST;
      return onHost ? zeros : new TensorFlowVariable(runtime, zeros, shape);
    });
  }

  step(gradients: readonly Tensor[], learningRate: number): void {
    for (const [i, variable] of this.variables.entries()) {
      const velocity = this.#velocities[i]!;
      const gradient = handleOf(gradients[i]!);
      if (velocity instanceof Float32Array) this.#stepOnHost(variable, velocity, gradient, learningRate);
      else this.#stepOnDevice(variable, velocity, gradient, learningRate);
    }
  }

  velocities(): Float32Array[] {
    return this.#velocities.map((velocity) =>
      velocity instanceof Float32Array ? velocity.slice() : this.runtime.read(velocity.view).slice(),
    );
  }

  load(velocities: readonly Float32Array[]): void {
    for (const [i, velocity] of this.#velocities.entries()) {
      if (velocity instanceof Float32Array) velocity.set(velocities[i]!);
      else velocity.assign(velocities[i]!);
    }
  }

  dispose(): void {
    for (const velocity of this.#velocities) if (velocity instanceof TensorFlowVariable) velocity.dispose();
  }

  #stepOnHost(variable: TensorFlowVariable, velocity: Float32Array, gradient: number, learningRate: number): void {
    const { momentum, weightDecay } = this.options;
    const w = this.runtime.read(variable.view);
    const g = this.runtime.read(gradient);
    for (let k = 0; k < w.length; k++) {
      velocity[k] = momentum * velocity[k]! + (g[k]! + weightDecay * w[k]!);
      w[k]! -= learningRate * velocity[k]!;
    }
    variable.assign(w);
  }

  /** In place: no copy of weights or velocities is made. */
  #stepOnDevice(
    variable: TensorFlowVariable,
    velocity: TensorFlowVariable,
    gradient: number,
    learningRate: number,
  ): void {
    const rt = this.runtime;
    const { momentum, weightDecay } = this.options;
    let g = gradient;
    if (weightDecay > 0) {
      const penalty = rt.run1('Mul', rt.float32, [variable.view, rt.scalar(weightDecay)]);
      g = rt.run1('AddV2', rt.float32, [gradient, penalty]);
      rt.delete(penalty);
    }
    const attributes = rt.attributes('momentum', (attr) => [
      attr.float32('T'),
      attr.bool('use_locking', false),
      attr.bool('use_nesterov', false),
    ]);
    // Not a cached scalar: a schedule gives ever new learning rates.
    const rate = rt.create(Float32Array.of(learningRate), []);
    // v = momentum v + g; w = w - rate v
    const places = [variable.resourceForUpdate(), velocity.resourceForUpdate()];
    rt.run('ResourceApplyMomentum', attributes, [...places, rate, g, rt.scalar(momentum)], 0);
    rt.delete(rate);
    if (g !== gradient) rt.delete(g);
  }
}
