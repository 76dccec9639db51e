import type { Retraining } from '../protocol/index.js';

export type ScheduleSettings = Pick<Retraining, 'schedule' | 'milestones' | 'gamma'>;

/**
 * What every learning rate of a training is multiplied by in one step. Counted in steps, not epochs, so that a
 * training of one epoch has a whole schedule too (decision 0044).
 *
 * - `cosine`: (1 + cos(pi p)) / 2, from 1 towards 0 (Loshchilov and Hutter 2017, without restarts).
 * - `multistep`: `gamma` to the power of the milestones behind, those at or below p.
 * - `constant`: 1.
 *
 * with p = step / steps, the part of the training that is done.
 * @param step 0-based.
 */
export function learningRateFactor(settings: ScheduleSettings, step: number, steps: number): number {
  const done = step / steps;
  switch (settings.schedule) {
    case 'cosine':
      return (1 + Math.cos(Math.PI * done)) / 2;
    case 'multistep':
      return settings.gamma ** settings.milestones.filter((milestone) => milestone <= done).length;
    case 'constant':
      return 1;
  }
}
