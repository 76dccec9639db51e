import { NesgdError } from '@nesgd/core/errors';
import type { RunFolder } from '@nesgd/core/run';

/** A run's allowance, in training images of all epochs and all networks. */
export interface Budget {
  readonly images: number;
  /** Training images of one epoch. */
  readonly epochImages: number;
  /** What alpha cost, whoever trained it and whenever: an alpha of an earlier run is charged like one trained now. */
  readonly alphaImages: number;
}

/** @returns undefined where the experiment sets none. */
export function budgetOf(run: RunFolder, epochImages: number): Budget | undefined {
  const { budget: images } = run.opened.experiment;
  if (images === undefined) return undefined;
  const alpha = run.journal.lines.map(({ fact }) => fact).find((fact) => fact.type === 'alpha');
  return { images, epochImages, alphaImages: alpha?.imagesTrained ?? 0 };
}

/** Ends a search from within: nothing is left to train another network with. What was measured is in the journal. */
export class BudgetSpentError extends NesgdError {
  constructor() {
    super('BUDGET_SPENT', 'the budget is spent');
  }
}
