import type { StreamPath } from '../datasets/index.js';
import { MaskLengthError } from '../errors.js';
import type { Mask } from '../evolution/individual.js';
import { rngAt } from '../evolution/rng.js';
import { initialise } from './initialise.js';
import { blocksOf, type Granularity, type ModelSpec } from './models/index.js';
import type { Weights } from './weights.js';

/**
 * Eq. 1: keeps block i of alpha where `mask[i]` is 1 and re-initialises it where 0. A re-initialised block is fresh as
 * a whole: weights, and batch norm's scale, offset and running statistics.
 * @param alpha P^alpha. Kept blocks are shared with it, not copied.
 * @param mask shape `[n]`, for the blocks of `blocksOf(spec, granularity)`.
 * @param stream names the draws, one stream a parameter: a retry draws the same weights.
 * @returns P^(alpha+1), every parameter of the model.
 * @throws MaskLengthError when the mask has not one bit a block.
 */
export function applyMask(
  spec: ModelSpec,
  granularity: Granularity,
  alpha: Weights,
  mask: Mask,
  stream: StreamPath,
): Weights {
  const reinitialised = reinitialisedParameters(spec, granularity, mask);
  return new Map(
    spec.parameters.map((parameter) => {
      const { name } = parameter;
      const values = reinitialised.has(name)
        ? initialise(parameter, rngAt(...stream, 'initial', name))
        : alpha.get(name);
      if (!values) throw new Error(`alpha has no ${name}`);
      return [name, values] as const;
    }),
  );
}

/** Names of the parameters in blocks whose bit is 0: P_3 of Eq. 3, and batch norm's statistics among them. */
export function reinitialisedParameters(spec: ModelSpec, granularity: Granularity, mask: Mask): ReadonlySet<string> {
  const blocks = blocksOf(spec, granularity);
  if (mask.length !== blocks.length) throw new MaskLengthError(mask.length, blocks.length);
  const fresh = new Set(blocks.filter((_, i) => mask[i] === 0).map((block) => block.name));
  return new Set(spec.parameters.filter((p) => fresh.has(p.block[granularity])).map((p) => p.name));
}
