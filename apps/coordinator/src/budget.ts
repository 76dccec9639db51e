import { NesgdError } from '@nesgd/core/errors';
import { imagesOfPart, imagesOfTraining, type PartOfTraining, type Retraining } from '@nesgd/core/protocol';
import type { RunFolder } from '@nesgd/core/run';

/** A run's allowance, in training images of all epochs and all networks. */
export interface Budget {
  readonly images: number;
  /** What a whole training of so many epochs is charged. */
  readonly imagesOf: (epochs: number) => number;
  readonly imagesOfPart: (part: PartOfTraining) => number;
  /** What alpha cost, whoever trained it and whenever: an alpha of an earlier run is charged like one trained now. */
  readonly alphaImages: number;
}

/**
 * @param epochImages training images of one epoch.
 * @param settings of the trainings that it is spent on.
 * @returns undefined where the experiment sets none.
 */
export function budgetOf(
  run: RunFolder,
  epochImages: number,
  settings: Pick<Retraining, 'averageLast'>,
): Budget | undefined {
  const { budget: images } = run.opened.experiment;
  if (images === undefined) return undefined;
  const alpha = run.journal.lines.map(({ fact }) => fact).find((fact) => fact.type === 'alpha');
  return {
    images,
    imagesOf: (epochs) => imagesOfTraining(settings, epochs, epochImages),
    imagesOfPart: (part) => imagesOfPart(settings, part, epochImages),
    alphaImages: alpha?.imagesTrained ?? 0,
  };
}

/** Ends a search from within: nothing is left to train another network with. What was measured is in the journal. */
export class BudgetSpentError extends NesgdError {
  constructor() {
    super('BUDGET_SPENT', 'the budget is spent');
  }
}
