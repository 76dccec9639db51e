import { type Card, placeEnvironment, visibleCards } from '../machine/index.js';
import { findTensorflow, probeCard } from './tensorflow.js';

/** Cards that trainers can compute on, or a reason for people that follows "there is no card to compute on:". */
export type CardFinding =
  | { readonly usable: true; readonly cards: readonly Card[] }
  | { readonly usable: false; readonly reason: string };

/** TensorFlow for cards has to be set up, and to find the first of them: it is loaded, in a process of its own. */
export async function findCards(cacheRoot: string, env: NodeJS.ProcessEnv): Promise<CardFinding> {
  const { cards, reason } = visibleCards(env);
  const [first] = cards;
  if (!first) return { usable: false, reason: reason ?? 'nvidia-smi lists no card' };
  const tensorflow = findTensorflow(cacheRoot);
  if (!tensorflow.usable) return { usable: false, reason: tensorflow.reason };
  if (tensorflow.build === 'cpu') {
    return {
      usable: false,
      reason: `TensorFlow is set up for processors alone, beside ${first.name}: "npm run setup -- --gpu" gets the one for cards`,
    };
  }
  const fault = await probeCard(tensorflow.binding, { ...env, ...placeEnvironment({ card: first }) });
  if (fault === undefined) return { usable: true, cards };
  return { usable: false, reason: `TensorFlow cannot use ${first.name}: ${fault}` };
}
