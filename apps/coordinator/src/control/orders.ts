import { workerRecordSchema } from '@nesgd/core/protocol';
import { z } from 'zod';

/** What a coordinator can be told while it works on a run. */
export const HIGHEST_PRIORITY = 100;
export const prioritySchema = z.int().min(-HIGHEST_PRIORITY).max(HIGHEST_PRIORITY);

export const orderSchema = z.discriminatedUnion('type', [
  /** `now`: what is under way is put down as well. */
  z.strictObject({ type: z.literal('pause'), now: z.boolean() }),
  z.strictObject({ type: z.literal('resume') }),
  z.strictObject({ type: z.literal('stop') }),
  z.strictObject({ type: z.literal('priority'), priority: prioritySchema }),
  /** Says which workers its broker knows: one that a run started for itself is known to nobody else. */
  z.strictObject({ type: z.literal('workers') }),
  z.strictObject({ type: z.literal('drain'), worker: z.string().min(1).max(200) }),
]);
export type Order = z.infer<typeof orderSchema>;

/** What a coordinator says to an order: how the run stands now, or why it does not follow it. */
export const answerSchema = z.discriminatedUnion('done', [
  z.strictObject({
    done: z.literal(true),
    paused: z.boolean(),
    priority: prioritySchema,
    message: z.string(),
    workers: z.array(workerRecordSchema).exactOptional(),
  }),
  z.strictObject({ done: z.literal(false), code: z.string(), message: z.string() }),
]);
export type Answer = z.infer<typeof answerSchema>;
