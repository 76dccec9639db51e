import type { StreamPath } from '../datasets/index.js';
import { rngAt } from '../evolution/rng.js';
import type { ModelSpec } from './models/index.js';
import type { Weights } from './weights.js';

/**
 * An offspring of ESGD (Cui et al. 2018): the mean of its parents plus Gaussian noise. Statistics of batch norm are
 * averaged too and get no noise: a variance must not fall below 0.
 * @param parents at least one; borrowed. Sums are taken in their order, in double precision.
 * @param noise standard deviation.
 * @param stream names the draws, one stream a parameter.
 */
export function recombine(spec: ModelSpec, parents: readonly Weights[], noise: number, stream: StreamPath): Weights {
  return new Map(
    spec.parameters.map(({ name, trainable }) => {
      const values = parents.map((parent) => parent.get(name)!);
      const rng = rngAt(...stream, 'noise', name);
      const std = trainable ? noise : 0;
      const mean = (i: number) => values.reduce((sum, of) => sum + of[i]!, 0) / values.length;
      const length = values[0]!.length;
      return [name, Float32Array.from({ length }, (_, i) => mean(i) + (std > 0 ? std * rng.normal() : 0))] as const;
    }),
  );
}
