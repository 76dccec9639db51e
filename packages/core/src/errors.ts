/**
 * Every error a user can meet. A message says what was got, where, and what would be right; `code` is stable for
 * programs; `retryable` tells the queue whether the same job could succeed elsewhere or later.
 */
export class NesgdError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly retryable = false,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** A wrong experiment file, flag, data file or checkpoint: refused before any work starts (exit code 2). */
export class InputError extends NesgdError {}

export class MaskLengthError extends InputError {
  constructor(
    readonly got: number,
    readonly wanted: number,
  ) {
    super('MASK_LENGTH', `the mask has ${got} bits, but the model has ${wanted} blocks: give one bit (0 or 1) per block`);
  }
}
