import { InputError } from '../errors.js';
import type { Card } from './cards.js';

/** Where one trainer computes. */
export interface CardPlace {
  readonly card: Card;
  /** Of the card's memory, between 0 and 1, where other trainers have the rest; undefined: the card is its own. */
  readonly share?: number;
}

/** What a process takes of a card beside TensorFlow's tensors: CUDA's context, the code of cuDNN and cuBLAS. */
const OVERHEAD_MB = 700;
/** Less is of no use: the smallest network, in small batches. */
const LEAST_MB = 512;
/** Where the driver does not say how much memory there is. */
const SHARED_PART = 0.9;

/**
 * Divides cards among trainers: as many on each as on the others, or one more (decision 0236).
 * @param count trainers, 1 or more.
 * @throws InputError where a card has not the memory for so many.
 */
export function cardPlaces(cards: readonly Card[], count: number): CardPlace[] {
  const onCard = cards.map((_, i) => Math.ceil((count - i) / cards.length));
  return Array.from({ length: count }, (_, i) => {
    const card = cards[i % cards.length] as Card;
    const trainers = onCard[i % cards.length] as number;
    return trainers === 1 ? { card } : { card, share: shareOf(card, trainers) };
  });
}

function shareOf({ name, uuid, memoryMb }: Card, trainers: number): number {
  if (memoryMb === undefined) return rounded(SHARED_PART / trainers);
  const mebibytes = memoryMb / trainers - OVERHEAD_MB;
  if (mebibytes >= LEAST_MB) return rounded(mebibytes / memoryMb);
  const most = Math.max(1, Math.floor(memoryMb / (LEAST_MB + OVERHEAD_MB)));
  throw new InputError(
    'WORKERS_PER_DEVICE',
    `${trainers} trainers on ${name} (${uuid}): its ${memoryMb} MiB are enough for ${most}; give a smaller --workers-per-device or --workers`,
  );
}

const rounded = (share: number): number => Math.floor(share * 10_000) / 10_000;

/** What a process at this place is told, and through it its trainers. Set to nothing rather than left out: it may be inherited. */
export const placeEnvironment = ({ card, share }: CardPlace): Record<string, string> => ({
  CUDA_VISIBLE_DEVICES: card.uuid,
  ...(share !== undefined && { NESGD_CARD_MEMORY_SHARE: String(share) }),
});
