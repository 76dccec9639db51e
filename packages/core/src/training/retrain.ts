import type { StreamPath } from '../datasets/index.js';
import type { Mask } from '../evolution/individual.js';
import type { Retraining } from '../protocol/index.js';
import { applyMask, reinitialisedParameters } from './mask.js';
import type { Granularity } from './models/index.js';
import type { Network } from './network.js';
import { type Trained, type Training, train, type Watch } from './train.js';
import type { Weights } from './weights.js';

export interface RetrainRequest extends Pick<Training, 'data' | 'measureOn' | 'stopBelow' | 'until'> {
  readonly alpha: Weights;
  readonly mask: Mask;
  readonly granularity: Granularity;
  readonly settings: Retraining;
  readonly stream: StreamPath;
}

/**
 * Eq. 6: P^(alpha+1) = f(P^alpha), then P^beta = g(P_1^alpha, P_3^(alpha+1), eta0, eta1): the kept blocks train with
 * eta0, the fresh ones with eta1. The network holds P^beta afterwards; its accuracy is the individual's fitness.
 * Velocities start at zero for all.
 * @throws MaskLengthError; what `train` throws.
 */
export async function retrain(network: Network, request: RetrainRequest, watch: Watch = {}): Promise<Trained> {
  const { alpha, mask, granularity, settings, stream } = request;
  network.load(applyMask(network.spec, granularity, alpha, mask, stream));
  const fresh = reinitialisedParameters(network.spec, granularity, mask);
  const learningRates = (name: string) =>
    fresh.has(name) ? settings.learningRateReinitialised : settings.learningRateRetained;
  return train(network, { ...request, learningRates }, watch);
}
