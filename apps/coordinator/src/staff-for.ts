import { InputError } from '@nesgd/core/errors';
import { type CardPlace, cardPlaces, visibleCards } from '@nesgd/core/machine';
import type { Runtime } from '@nesgd/core/protocol';

/** Who works on this machine. */
export interface Staff {
  readonly workers: number;
  /** One a worker, in order; none where they compute on the processor. */
  readonly places: readonly CardPlace[];
}

export interface StaffOptions {
  /** `--workers` */
  readonly workers?: number | undefined;
  /** Trainers that share a card: `--workers-per-device`, else `runtime.workersPerDevice`. */
  readonly workersPerDevice?: number | undefined;
}

/**
 * As many workers as asked for; else so many a card, or as many as the processor feeds.
 * @throws InputError where there is no card, or more trainers than one has memory for.
 */
export function staffFor(
  { device }: Pick<Runtime, 'device'>,
  { workers, workersPerDevice = 1 }: StaffOptions,
  env: NodeJS.ProcessEnv,
  onProcessor: () => number,
): Staff {
  if (device !== 'gpu') return { workers: workers ?? onProcessor(), places: [] };
  if (workers === 0) return { workers, places: [] };
  const { cards, reason } = visibleCards(env);
  if (cards.length === 0) throw new InputError('DEVICE', `there is no card to compute on: ${reason}`);
  const count = workers ?? cards.length * workersPerDevice;
  return { workers: count, places: cardPlaces(cards, count) };
}
