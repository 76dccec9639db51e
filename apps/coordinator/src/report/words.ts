import { METHOD_WORDS, type MethodName, type MethodWords, searchesMasks } from '@nesgd/core/methods';

/** What a round of a method and its networks are called. */
export interface Words {
  readonly round: MethodWords['round'];
  readonly network: string;
  /** What is left after a round. */
  readonly left: string;
}

export function wordsFor(method: MethodName): Words {
  const round = METHOD_WORDS[method].round;
  if (method === 'ne-sgd') return { round, network: 'individual', left: 'survivors' };
  if (searchesMasks(method)) return { round, network: 'individual', left: 'fittest so far' };
  return { round, network: 'training', left: 'networks' };
}

export const capitalised = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
