import { EDITION } from '../edition.js';
import { sha256OfJson } from './canonical-json.js';

/**
 * Names what a training leaves in the cache, by all that decides its bits: the same job sent twice has one name, and what
 * an earlier edition of the engine left is not taken for today's.
 */
export const trainingKey = (job: object, edition: object = EDITION): string =>
  sha256OfJson({ job: 'part' in job ? wholeTraining(job) : job, edition });

/** Parts of one training have one name: each goes on where the one before stopped. */
function wholeTraining({ part: _, keepWeightsAbove: __, ...training }: { part: unknown; keepWeightsAbove?: unknown }) {
  return training;
}

/**
 * The key of a training that is done on one kind of processor: another kind goes on from its state to other bits.
 * @param processor `computedOn`; undefined where it plays no part.
 */
export const keyOnProcessor = (key: string, processor: string | undefined): string =>
  processor === undefined ? key : `${key}-${sha256OfJson(processor).slice(0, 16)}`;
