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
]);
export type Order = z.infer<typeof orderSchema>;

/** What a coordinator says to an order: how the run stands now, or why it does not follow it. */
export const answerSchema = z.discriminatedUnion('done', [
  z.strictObject({
    done: z.literal(true),
    paused: z.boolean(),
    priority: prioritySchema,
    message: z.string(),
  }),
  z.strictObject({ done: z.literal(false), code: z.string(), message: z.string() }),
]);
export type Answer = z.infer<typeof answerSchema>;
