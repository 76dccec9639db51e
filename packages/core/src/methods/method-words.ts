import type { MethodName } from './method-names.js';

/** How a method speaks of itself, wherever people read of it. */
export interface MethodWords {
  /** Evolution has generations, population based training steps, the others neither. */
  readonly round: 'generation' | 'step' | 'round';
  /** `individual` where it is a mask, `network` where a whole network is trained. */
  readonly individual: 'individual' | 'network';
}

export const METHOD_WORDS: Readonly<Record<MethodName, MethodWords>> = {
  'ne-sgd': { round: 'generation', individual: 'individual' },
  'random-masks': { round: 'round', individual: 'individual' },
  sgd: { round: 'round', individual: 'network' },
  'sgd-restarts': { round: 'round', individual: 'network' },
  esgd: { round: 'generation', individual: 'network' },
  pbt: { round: 'step', individual: 'network' },
};
