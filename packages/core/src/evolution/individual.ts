/** A genome: one bit a block; 1 keeps the block's weights of alpha, 0 re-initialises them (Eq. 1). */
export type Mask = readonly (0 | 1)[];

/** A genome with its raw accuracy. Raw accuracy never changes once measured; suppression works on a copy. */
export interface Individual {
  readonly mask: Mask;
  /** Accuracy in [0, 1] after retraining, on the split that `fitness` names. Higher is better. */
  readonly fitness: number;
}

/**
 * The port through which the algorithm reaches the world (a queue, a local pool, a toy function in a test).
 * Resolves to one individual a genome, in the order given, however the work was done.
 */
export type Evaluate = (masks: readonly Mask[], context: EvaluationContext) => Promise<readonly Individual[]>;

export interface EvaluationContext {
  /** 0 for the initial population, t for the offspring of generation t. */
  readonly generation: number;
  /** True where a genome measured earlier must be measured anew (`reevaluateSurvivors`), with fresh draws. */
  readonly again?: boolean;
}

/** `[1, 0, 1]` -> `'101'`: how masks stand in journals, jobs and on screen. */
export function maskToString(mask: Mask): string {
  return mask.join('');
}

/** `'101'` -> `[1, 0, 1]`. @throws RangeError for any other character or an empty string. */
export function maskFromString(text: string): Mask {
  if (!/^[01]+$/.test(text)) throw new RangeError(`a mask is a string of 0 and 1, got ${JSON.stringify(text)}`);
  return Array.from(text, (bit) => (bit === '1' ? 1 : 0));
}
