import { z } from '@hono/zod-openapi';
import * as schemas from './api-schemas.js';

/** What routes of the API have in common. */

export const runIdParam = z.object({
  runId: z
    .string()
    .regex(/^[a-zA-Z0-9][a-zA-Z0-9._-]{0,99}$/)
    .openapi({ example: 'quickstart-20260131-120000-3f9a' }),
});

export const json = <S extends z.ZodType>(schema: S, description: string) => ({
  description,
  content: { 'application/json': { schema } },
});

export const refusals = {
  400: json(schemas.error, 'The request is not what is described here.'),
  404: json(schemas.error, 'There is no such run.'),
  422: json(schemas.error, "The run's journal is damaged; the message names its line."),
};
