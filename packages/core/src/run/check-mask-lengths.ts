import { InputError } from '../errors.js';
import { maskToString } from '../evolution/individual.js';
import type { Fact, JournalLine } from './facts.js';

/**
 * A journal can be sound line by line and still not be of one run: somebody edited it, or joined two.
 * @param blocks bits of every mask.
 * @throws InputError naming the first line with a mask of another length.
 */
export function checkMaskLengths(lines: readonly JournalLine[], blocks: number, journalPath: string): void {
  for (const [index, { fact }] of lines.entries()) {
    const wrong = masksOf(fact).find((mask) => mask.length !== blocks);
    if (wrong === undefined) continue;
    throw new InputError(
      'JOURNAL',
      `${journalPath}, line ${index + 1}: the mask ${wrong} has ${wrong.length} bits, but the model of this run has ${blocks} blocks. Restore the journal from a copy`,
    );
  }
}

function masksOf(fact: Fact): string[] {
  switch (fact.type) {
    case 'evaluated':
    case 'failed':
    case 'rung':
      return [fact.mask];
    case 'generation':
      return [...fact.parents, fact.best, ...fact.offspring, ...fact.pool].map(({ mask }) => maskToString(mask));
    case 'finished':
      return [fact.best.mask];
    default:
      return [];
  }
}
