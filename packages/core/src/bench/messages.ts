import { z } from 'zod';
import { MODEL_NAMES } from '../protocol/training-settings.js';
import { errorSchema } from '../trainer/messages.js';

/** What `nesgd bench` and a process that trains for it say to each other: a line of JSON each, on its standard streams. */

/** Its one argument, as JSON. PyTorch's process (bench/peers/pytorch_training.py) gets a `mode` in place of `engine`. */
export const stepSettingsSchema = z.strictObject({
  model: z.enum(MODEL_NAMES),
  engine: z.enum(['tensorflow', 'wasm']),
  /** Absent: a processor. */
  device: z.literal('gpu').exactOptional(),
  threads: z.int().positive(),
  /** Images of a step. */
  batch: z.int().positive(),
});
export type StepSettings = z.infer<typeof stepSettingsSchema>;

export const stepRequestSchema = z.discriminatedUnion('do', [
  /** Answered with `seconds` when the steps are done. */
  z.strictObject({ do: z.literal('train'), steps: z.int().positive() }),
  /** Answered with `peakMb`. */
  z.strictObject({ do: z.literal('memory') }),
  /** Answered with `gflops`, by our processes alone. */
  z.strictObject({ do: z.literal('matmul') }),
]);
export type StepRequest = z.infer<typeof stepRequestSchema>;

export const stepAnswerSchema = z.union([
  /** Comes unasked, first: what computes, with its version. */
  z.strictObject({ ready: z.string() }),
  z.strictObject({ seconds: z.number().nonnegative() }),
  /** The most memory that was resident at once since the process began, in MiB. */
  z.strictObject({ peakMb: z.number().positive() }),
  /** Of the best of several multiplications of large matrices, in 10^9 floating point operations a second. */
  z.strictObject({ gflops: z.number().positive() }),
  /** It cannot train: in place of `ready`. */
  z.strictObject({ error: errorSchema }),
]);
export type StepAnswer = z.infer<typeof stepAnswerSchema>;
