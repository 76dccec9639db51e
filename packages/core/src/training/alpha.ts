import type { StreamPath } from '../datasets/index.js';
import { NesgdError } from '../errors.js';
import { rngAt } from '../evolution/rng.js';
import type { AlphaTraining } from '../protocol/index.js';
import { initialise } from './initialise.js';
import type { ModelSpec } from './models/index.js';
import type { Network } from './network.js';
import { type Trained, type Training, train, type Watch } from './train.js';
import type { Weights } from './weights.js';

/** Random weights of a model: one stream a parameter. */
export function initialWeights(spec: ModelSpec, stream: StreamPath): Weights {
  return new Map(spec.parameters.map((p) => [p.name, initialise(p, rngAt(...stream, 'initial', p.name))] as const));
}

/**
 * The network's loss is "converged to a minimum alpha by SGD" (Eq. 2) from random weights. The network holds P^alpha
 * afterwards.
 * @throws NesgdError `ALPHA_DIVERGED`: an alpha that is no network is of no use; what `train` throws.
 */
export async function trainAlpha(
  network: Network,
  request: Pick<Training, 'data' | 'measureOn' | 'stream'> & { readonly settings: AlphaTraining },
  watch: Watch = {},
): Promise<Trained> {
  const { learningRate } = request.settings;
  network.load(initialWeights(network.spec, request.stream));
  const trained = await train(network, { ...request, learningRates: () => learningRate }, watch);
  if (trained.diverged) {
    throw new NesgdError(
      'ALPHA_DIVERGED',
      `alpha's training diverged in epoch ${trained.curve.length}: its loss or weights grew beyond numbers; give a smaller alpha.learningRate than ${learningRate}`,
    );
  }
  return trained;
}
