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

export interface ExperimentFault {
  /** Its whole path, `retrain.epochs`; '' for the experiment as a whole. */
  readonly key: string;
  /** What was got and what would be right. */
  readonly text: string;
  /** Of the experiment's text, from 1: where the key stands, or what it should be in. */
  readonly line?: number | undefined;
  /** What set the key, where the text did not: `--set retrain.epochs=0`. */
  readonly flag?: string | undefined;
}

/** An experiment with keys that are wrong, or no YAML. */
export class ExperimentError extends InputError {
  constructor(
    message: string,
    readonly faults: readonly ExperimentFault[],
    code: 'EXPERIMENT' | 'EXPERIMENT_FILE' | 'SET_FLAG' = 'EXPERIMENT',
  ) {
    super(code, message);
  }
}

export class MaskLengthError extends InputError {
  constructor(
    readonly got: number,
    readonly wanted: number,
  ) {
    super(
      'MASK_LENGTH',
      `the mask has ${got} bits, but the model has ${wanted} blocks: give one bit (0 or 1) per block`,
    );
  }
}

/** Images that a network's pooling would leave nothing of. */
export class ImageSizeError extends InputError {
  constructor(
    readonly model: string,
    readonly height: number,
    readonly width: number,
    readonly smallest: number,
  ) {
    super(
      'IMAGE_SIZE',
      `model.name is ${model}, which needs images of at least ${smallest}x${smallest}, but the data set's are ${height}x${width}: choose another network`,
    );
  }
}

/** A safetensors file that is damaged, or holds another network. */
export class CheckpointError extends InputError {
  constructor(
    readonly source: string,
    readonly fault: string,
  ) {
    super('CHECKPOINT', `${source} is no usable checkpoint: ${fault}`);
  }
}

/** A setting of the search out of its range. */
export class EvolutionParameterError extends InputError {
  constructor(
    readonly parameter: string,
    readonly got: unknown,
    readonly wanted: string,
  ) {
    super('EVOLUTION_PARAMETER', `${parameter} is ${String(got)}: give ${wanted}`);
  }
}

/** A generation to resume from that another search has left. */
export class SavedGenerationError extends InputError {
  constructor(fault: string) {
    super('SAVED_GENERATION', `the saved generation ${fault}: resume with the experiment that it comes from`);
  }
}

/** An `Evaluate` adapter that broke its contract: a fault of the program, not of its user. */
export class EvaluationError extends NesgdError {
  constructor(fault: string) {
    super('EVALUATION', `evaluate broke its contract: ${fault}`);
  }
}

/** Nobody waits for the job's result any more: what it has come to so far need not be kept. */
export class UnwantedJobError extends NesgdError {}

/** An engine that cannot run on this machine; the same job may well run on another. */
export class EngineUnavailableError extends NesgdError {
  constructor(
    readonly engine: string,
    cause: unknown,
  ) {
    // The lines after the first are TensorFlow.js's advice, which leads to its own, older library.
    const [reason = ''] = String(cause instanceof Error ? cause.message : cause).split('\n');
    super(
      'ENGINE_UNAVAILABLE',
      `the ${engine} engine does not run here: ${reason.trim().replace(/\.$/, '')}. "nesgd doctor" shows what is missing`,
      true,
      { cause },
    );
  }
}

/** WebAssembly's memory ends at 4 GB, and a machine's may end before. */
export class WasmMemoryError extends NesgdError {
  constructor(readonly bytes: number) {
    super(
      'WASM_MEMORY',
      `the wasm engine has no room for another ${bytes} bytes (4 GB at most): take a smaller batchSize or the tensorflow engine`,
    );
  }
}

/** Content that arrived under the name of another: damaged on its way, or where it came from. */
export class ArtifactContentError extends NesgdError {
  constructor(
    readonly wanted: string,
    readonly got: string,
  ) {
    super('ARTIFACT_CONTENT', `what arrived as ${wanted} has the SHA-256 ${got}`, true);
  }
}

const DISK_FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG']);

/** Whether a file could not be written for want of space: of the disk, a quota or a limit on file sizes. */
export function isDiskFull(error: unknown): boolean {
  return error instanceof Error && DISK_FULL.has((error as NodeJS.ErrnoException).code ?? '');
}

/** A fact that could not be written down: nothing may be done that rests on it. */
export class JournalWriteError extends NesgdError {
  constructor(
    readonly path: string,
    cause: NodeJS.ErrnoException,
  ) {
    const what = isDiskFull(cause) ? 'there is no space left for it' : cause.message;
    super(
      'JOURNAL_WRITE',
      `the journal ${path} cannot be written: ${what}. What is in it counts; once that is mended, "nesgd resume" goes on`,
      false,
      { cause },
    );
  }
}
