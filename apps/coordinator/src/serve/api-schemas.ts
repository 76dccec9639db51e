import { z } from '@hono/zod-openapi';
import { METHOD_NAMES } from '@nesgd/core/methods';
import { workerRecordSchema } from '@nesgd/core/protocol';
import type {
  ApiError,
  ControlledRun,
  ListedSoon,
  RunSnapshot,
  ServerDescription,
  StartedRun,
  WorkerList,
  WorkerLog,
} from '@nesgd/core/view';
import { prioritySchema } from '../control/orders.js';
import type { RunOverview } from '../status/run-overview.js';

/** The API's answers for its description; the types are those that the code has, the journal's own schema is stricter. */

const accuracy = z.number().min(0).max(1);
const time = z.iso.datetime();
const state = z.enum(['finished', 'diverged', 'running', 'stopped']);

export const error: z.ZodType<ApiError> = z
  .object({
    code: z.string(),
    message: z.string(),
    faults: z
      .array(
        z.object({
          key: z.string(),
          text: z.string(),
          line: z.int().optional(),
          flag: z.string().optional().openapi({ description: 'Where `set` set the key.', example: '--set seed=-7' }),
        }),
      )
      .optional()
      .openapi({ description: 'Of an experiment: each key that is wrong, by its path, and what would be right.' }),
  })
  .openapi('Error');

export const serverDescription: z.ZodType<ServerDescription> = z
  .object({
    version: z.string(),
    node: z.string(),
    login: z.boolean(),
    queueBoard: z.string().nullable(),
    readOnly: z.string().nullable().openapi({ description: 'Why nothing can be started or told from here.' }),
  })
  .openapi('Server');

export const controlledRun: z.ZodType<ControlledRun> = z
  .object({ runId: z.string(), state, paused: z.boolean(), priority: prioritySchema, message: z.string() })
  .openapi('ControlledRun');

/** One of a broker, or a trainer of a run without one. */
export const workerRecord = z.object(workerRecordSchema.shape).openapi('Worker');

export const workerList: z.ZodType<WorkerList> = z
  .object({ workers: z.array(workerRecord), silent: z.array(z.string()) })
  .openapi('WorkerList');

export const startedRun: z.ZodType<StartedRun> = z
  .object({ runId: z.string(), state: z.enum(['running', 'starting', 'ended']) })
  .openapi('StartedRun');

export const workerLog: z.ZodType<WorkerLog> = z
  .object({ name: z.string(), lines: z.array(z.string()) })
  .openapi('WorkerLog');

export const listedRun: z.ZodType<ListedSoon> = z
  .union([
    z.object({
      runId: z.string(),
      state,
      paused: z.boolean(),
      priority: prioritySchema,
      experiment: z.string(),
      method: z.enum(METHOD_NAMES),
      round: z.enum(['generation', 'step', 'round']),
      generation: z.int().nullable(),
      generations: z.int().nullable(),
      alphaAccuracy: accuracy.nullable(),
      bestAccuracy: accuracy.nullable(),
      bestTestAccuracy: accuracy.nullable(),
      startedAt: time,
      lastFactAt: time,
    }),
    z.object({ runId: z.string(), state: z.literal('damaged'), error: z.string() }),
    z.object({ runId: z.string(), state: z.literal('reading') }),
  ])
  .openapi('ListedRun');

/** Too large to say twice: a line holds a fact as docs/dashboard.md describes it. */
export const runSnapshot: z.ZodType<RunSnapshot> = z.custom<RunSnapshot>().openapi('RunSnapshot', {
  type: 'object',
  required: ['runId', 'journal', 'state', 'paused', 'priority', 'holder', 'live', 'reading', 'lines'],
});

export const runOverview: z.ZodType<RunOverview> = z.custom<RunOverview>().openapi('RunOverview', {
  type: 'object',
  required: ['runId', 'state', 'paused', 'priority', 'experiment', 'generations'],
});
