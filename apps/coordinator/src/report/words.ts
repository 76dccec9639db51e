import { type MethodName, ROUND_NAMES, searchesMasks } from '@nesgd/core/run';

/** What a round of a method and its networks are called. */
export interface Words {
  readonly round: (typeof ROUND_NAMES)[MethodName];
  readonly network: string;
  /** What is left after a round. */
  readonly left: string;
}

export function wordsFor(method: MethodName): Words {
  const round = ROUND_NAMES[method];
  if (method === 'ne-sgd') return { round, network: 'individual', left: 'survivors' };
  if (searchesMasks(method)) return { round, network: 'individual', left: 'fittest so far' };
  return { round, network: 'training', left: 'networks' };
}

export const capitalised = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
