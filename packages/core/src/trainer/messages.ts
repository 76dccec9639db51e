import { z } from 'zod';
import { InputError, isDiskFull, NesgdError } from '../errors.js';
import { jobResultSchema, jobSchema, modelSchema, normalisationSchema, progressSchema } from '../protocol/index.js';
import { snapshotSchema } from '../storage/index.js';
import { outOfMemory, saysOutOfMemory } from './out-of-memory.js';

/** What a supervisor and its trainer child process say to each other over the fork's IPC channel. */

const size = z.int().positive();

/** What a stored network makes of some images: for `nesgd predict`, never on a queue. */
export const inferenceSchema = z.strictObject({
  model: modelSchema.shape.name,
  imageShape: z.tuple([size, size, size]),
  classes: size,
  /** The safetensors file with its weights. */
  weights: z.string(),
  normalisation: normalisationSchema,
  /** The images' bytes `[N, H, W, C]`, one image after the other, as base64: the channel carries JSON. */
  images: z.base64(),
});
export type Inference = z.infer<typeof inferenceSchema>;

export const toTrainerSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('job'), id: z.int(), job: jobSchema }),
  z.strictObject({ type: z.literal('infer'), id: z.int(), inference: inferenceSchema }),
  /** `wanted`: somebody will go on with the job, so its state is kept before it ends. */
  z.strictObject({ type: z.literal('abort'), id: z.int(), wanted: z.boolean() }),
  /** Answered by `pong` when the event loop comes around: between two steps, at the latest. */
  z.strictObject({ type: z.literal('ping') }),
  z.strictObject({ type: z.literal('stop') }),
]);
export type ToTrainer = z.infer<typeof toTrainerSchema>;

/** An error on its way through a channel that carries only JSON. */
export const errorSchema = z.strictObject({
  code: z.string(),
  message: z.string(),
  retryable: z.boolean(),
  /** The user's input is at fault: exit code 2. */
  input: z.boolean(),
});
export type ErrorMessage = z.infer<typeof errorSchema>;

export const fromTrainerSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('ready'), engine: z.string() }),
  z.strictObject({ type: z.literal('pong') }),
  /** Another step is done; sent now and then. */
  z.strictObject({ type: z.literal('alive'), id: z.int() }),
  z.strictObject({ type: z.literal('progress'), id: z.int(), progress: progressSchema }),
  /** The state of the training has been kept in the cache folder. */
  z.strictObject({ type: z.literal('snapshot'), id: z.int(), snapshot: snapshotSchema }),
  /** For the log. */
  z.strictObject({ type: z.literal('notice'), id: z.int(), text: z.string() }),
  z.strictObject({ type: z.literal('result'), id: z.int(), result: jobResultSchema, seconds: z.number() }),
  /** `[N][classes]` */
  z.strictObject({ type: z.literal('logits'), id: z.int(), logits: z.array(z.array(z.number())) }),
  z.strictObject({ type: z.literal('error'), id: z.int().nullable(), error: errorSchema }),
]);
export type FromTrainer = z.infer<typeof fromTrainerSchema>;

export function errorToMessage(error: unknown): ErrorMessage {
  if (error instanceof NesgdError) {
    const { code, message, retryable } = error;
    return { code, message, retryable, input: error instanceof InputError };
  }
  const text = error instanceof Error ? error.message : String(error);
  // No other attempt on this machine would fare better.
  if (isDiskFull(error)) return { code: 'DISK_FULL', message: noSpace(text), retryable: false, input: false };
  if (saysOutOfMemory(text)) return errorToMessage(outOfMemory(text));
  if (PROCESS_MEMORY.test(text)) return { code: 'TRAINER_MEMORY', message: text, retryable: true, input: false };
  // An error nobody foresaw: the same job would meet it again, but another machine might not.
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { code: 'UNEXPECTED', message, retryable: true, input: false };
}

/** What WebAssembly and V8 say, of a process that has grown over hours as well. */
const PROCESS_MEMORY = /allocation failed|out of memory/i;

const noSpace = (text: string): string =>
  `the cache folder has no space left (${text}): free some, or name another one by NESGD_CACHE; "nesgd resume" goes on`;

export function errorFromMessage({ code, message, retryable, input }: ErrorMessage): NesgdError {
  return input ? new InputError(code, message, retryable) : new NesgdError(code, message, retryable);
}
