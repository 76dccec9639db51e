import type { Retraining } from './training-settings.js';

/**
 * Images that the statistics of averaged weights are taken from, where there are as many. A running statistic of
 * weight 0.1 remembers no more: about 19 batches of 128.
 */
const STATISTICS_IMAGES = 2500;

/** Weights of one epoch have nothing to be averaged with. */
export function averagedEpochs({ averageLast }: Pick<Retraining, 'averageLast'>, epochs: number): number {
  const count = Math.min(averageLast ?? 0, epochs);
  return count > 1 ? count : 0;
}

/** Images that a training of so many epochs looks at once more, for the statistics of its averaged weights. */
export function statisticsImages(
  settings: Pick<Retraining, 'averageLast'>,
  epochs: number,
  trainImages: number,
): number {
  return averagedEpochs(settings, epochs) > 0 ? Math.min(STATISTICS_IMAGES, trainImages) : 0;
}

/** A part of a training: the epochs after `from` up to `until`, of so many. */
export interface PartOfTraining {
  readonly from: number;
  readonly until: number;
  readonly epochs: number;
}

/** What a part is charged: the statistics of averaged weights are taken at the end of the whole. */
export function imagesOfPart(
  settings: Pick<Retraining, 'averageLast'>,
  { from, until, epochs }: PartOfTraining,
  trainImages: number,
): number {
  return (until - from) * trainImages + (until === epochs ? statisticsImages(settings, epochs, trainImages) : 0);
}

/** What a whole training is charged: every image of every epoch, and those of the statistics. */
export function imagesOfTraining(
  settings: Pick<Retraining, 'averageLast'>,
  epochs: number,
  trainImages: number,
): number {
  return epochs * trainImages + statisticsImages(settings, epochs, trainImages);
}
