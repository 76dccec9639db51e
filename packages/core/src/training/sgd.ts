import type { SgdGroup, SgdOptions, Tensor } from './engine/index.js';
import type { ParameterSpec } from './models/index.js';
import type { Network } from './network.js';

/** A parameter's learning rate, by its name, before the schedule. */
export type LearningRates = (parameterName: string) => number;

export type Velocities = ReadonlyMap<string, Float32Array>;

/**
 * SGD with momentum and weight decay on all trainable parameters of a network, exactly as PyTorch's:
 * `v = momentum v + (g + weightDecay w)`, `w = w - learningRate v`. Parameters of one learning rate form one group.
 */
export class Sgd {
  readonly #trainable: readonly ParameterSpec[];
  readonly #groups: readonly { learningRate: number; positions: readonly number[]; group: SgdGroup }[];

  constructor(network: Network, options: SgdOptions, learningRates: LearningRates) {
    this.#trainable = network.trainable;
    const positionsByRate = new Map<number, number[]>();
    for (const [position, { name }] of this.#trainable.entries()) {
      const rate = learningRates(name);
      positionsByRate.set(rate, [...(positionsByRate.get(rate) ?? []), position]);
    }
    this.#groups = Array.from(positionsByRate, ([learningRate, positions]) => {
      const variables = positions.map((position) => network.variable(this.#trainable[position]!.name));
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

  /** A copy of all velocities, by the names of their parameters; in the engine's own layout. */
  velocities(): Velocities {
    return new Map(
      this.#groups.flatMap(({ positions, group }) =>
        group.velocities().map((values, i) => [this.#trainable[positions[i]!]!.name, values] as const),
      ),
    );
  }

  /** Replaces all velocities by what `velocities` gave for the same network on the same engine. */
  load(velocities: Velocities): void {
    for (const { positions, group } of this.#groups) {
      group.load(positions.map((position) => velocities.get(this.#trainable[position]!.name)!));
    }
  }

  /** Frees the velocities. */
  dispose(): void {
    for (const { group } of this.#groups) group.dispose();
  }
}
