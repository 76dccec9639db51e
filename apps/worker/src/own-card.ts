import { type Card, visibleCards } from '@nesgd/core/machine';

/**
 * The card that this worker's trainers compute on: the first that its environment shows. From now on the environment,
 * which trainers inherit, shows no other: TensorFlow would take some of each card's memory, and compute on the last.
 */
export function takeCard(env: NodeJS.ProcessEnv): Card | undefined {
  const [card] = visibleCards(env).cards;
  if (card) env.CUDA_VISIBLE_DEVICES = card.uuid;
  return card;
}
