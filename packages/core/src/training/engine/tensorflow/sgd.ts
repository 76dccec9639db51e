import type { SgdGroup, SgdOptions, Tensor } from '../engine.js';
import type { TensorFlowRuntime } from './runtime.js';
import { handleOf, TensorFlowVariable } from './tensors.js';

/** Three small operations and one in place, a variable: no copy of weights or velocities is made. */
export class TensorFlowSgd implements SgdGroup {
  readonly #velocities: readonly TensorFlowVariable[];

  constructor(
    readonly runtime: TensorFlowRuntime,
    readonly variables: readonly TensorFlowVariable[],
    readonly options: SgdOptions,
  ) {
    this.#velocities = variables.map(({ shape }) => {
      const size = shape.reduce((product, length) => product * length, 1);
      return new TensorFlowVariable(runtime, new Float32Array(size), shape);
    });
  }

  step(gradients: readonly Tensor[], learningRate: number): void {
    const rt = this.runtime;
    const { momentum, weightDecay } = this.options;
    // Not a cached scalar: a schedule gives ever new learning rates.
    const rate = rt.create(Float32Array.of(learningRate), []);
    const attributes = rt.attributes('momentum', (attr) => [
      attr.float32('T'),
      attr.bool('use_locking', false),
      attr.bool('use_nesterov', false),
    ]);
    for (const [i, variable] of this.variables.entries()) {
      let gradient = handleOf(gradients[i]!);
      if (weightDecay > 0) {
        const penalty = rt.run1('Mul', rt.float32, [variable.view, rt.scalar(weightDecay)]);
        gradient = rt.run1('AddV2', rt.float32, [gradient, penalty]);
        rt.delete(penalty);
      }
      variable.dropView();
      const inputs = [variable.resource, this.#velocities[i]!.resource, rate, gradient, rt.scalar(momentum)];
      // v = momentum v + g; w = w - rate v
      rt.run('ResourceApplyMomentum', attributes, inputs, 0);
      if (weightDecay > 0) rt.delete(gradient);
    }
    rt.delete(rate);
  }

  dispose(): void {
    for (const velocity of this.#velocities) velocity.dispose();
  }
}
