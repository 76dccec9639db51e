import type { SgdGroup, SgdOptions, Tensor } from './engine/index.js';
import type { Network } from './network.js';

/** A parameter's learning rate, by its name, before the schedule. */
export type LearningRates = (parameterName: string) => number;

/**
 * SGD with momentum and weight decay on all trainable parameters of a network, exactly as PyTorch's:
 * `v = momentum v + (g + weightDecay w)`, `w = w - learningRate v`. Parameters of one learning rate form one group.
 */
export class Sgd {
  readonly #groups: readonly { learningRate: number; positions: readonly number[]; group: SgdGroup }[];

  constructor(network: Network, options: SgdOptions, learningRates: LearningRates) {
    const positionsByRate = new Map<number, number[]>();
    for (const [position, { name }] of network.trainable.entries()) {
      const rate = learningRates(name);
      positionsByRate.set(rate, [...(positionsByRate.get(rate) ?? []), position]);
    }
    this.#groups = Array.from(positionsByRate, ([learningRate, positions]) => {
      const variables = positions.map((position) => network.variable(network.trainable[position]!.name));
      return { learningRate, positions, group: network.engine.sgd(variables, options) };
    });
  }

  /**
   * @param gradients in the order of `Network.trainable`; borrowed.
   * @param factor of the schedule.
   */
  step(gradients: readonly Tensor[], factor: number): void {
    for (const { learningRate, positions, group } of this.#groups) {
      group.step(
        positions.map((position) => gradients[position]!),
        learningRate * factor,
      );
    }
  }

  /** Frees the velocities. */
  dispose(): void {
    for (const { group } of this.#groups) group.dispose();
  }
}
