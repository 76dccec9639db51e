import { type MethodName, searchesMasks } from '@nesgd/core/run';

/** What a round of a method and its networks are called: only a search over masks has generations of individuals. */
export interface Words {
  readonly round: string;
  readonly network: string;
  /** What is left after a round. */
  readonly left: string;
}

export function wordsFor(method: MethodName): Words {
  return searchesMasks(method)
    ? { round: 'generation', network: 'individual', left: 'survivors' }
    : { round: 'step', network: 'training', left: 'networks' };
}

export const capitalised = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
