import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import { InputError } from '@nesgd/core/errors';
import type { ServerDescription } from '@nesgd/core/view';
import { compress } from 'hono/compress';
import * as schemas from './api-schemas.js';
import { eventStream } from './event-stream.js';
import type { RunFollowers } from './run-followers.js';
import { readLogs } from './run-logs.js';
import { snapshotResponse } from './run-snapshot.js';

const runIdParam = z.object({
  runId: z
    .string()
    .regex(/^[a-zA-Z0-9][a-zA-Z0-9._-]{0,99}$/)
    .openapi({ example: 'quickstart-20260131-120000-3f9a' }),
});
const afterQuery = z.object({
  after: z.coerce
    .number()
    .int()
    .min(-1)
    .default(-1)
    .openapi({ description: 'Only lines of the journal with a higher seq.' }),
});
const snapshotQuery = afterQuery.extend({
  limit: z.coerce.number().int().min(1).optional().openapi({
    description:
      'No more lines than these, and not to wait until all of a long journal is read: `reading` says how far it is.',
  }),
});

const json = <S extends z.ZodType>(schema: S, description: string) => ({
  description,
  content: { 'application/json': { schema } },
});
const refusals = {
  400: json(schemas.error, 'A parameter is not what is described here.'),
  404: json(schemas.error, 'There is no such run.'),
  422: json(schemas.error, "The run's journal is damaged; the message names its line."),
};

const listRoute = createRoute({
  method: 'get',
  path: '/runs',
  summary: 'The runs of the folder, oldest first; what `nesgd status --json` says.',
  responses: { 200: json(z.array(schemas.listedRun), 'The runs.') },
});
const serverRoute = createRoute({
  method: 'get',
  path: '/server',
  summary: 'What serves this.',
  responses: { 200: json(schemas.serverDescription, 'The server.') },
});
const runRoute = createRoute({
  method: 'get',
  path: '/runs/{runId}',
  summary: 'One run as its journal has it, line by line, and what it does just now.',
  request: { params: runIdParam, query: snapshotQuery },
  responses: { 200: json(schemas.runSnapshot, 'The run.'), ...refusals },
});
const overviewRoute = createRoute({
  method: 'get',
  path: '/runs/{runId}/overview',
  summary: 'One run in figures; what `nesgd status RUN_ID --json` says.',
  request: { params: runIdParam },
  responses: { 200: json(schemas.runOverview, 'The run.'), ...refusals },
});
const logsRoute = createRoute({
  method: 'get',
  path: '/runs/{runId}/logs',
  summary: 'The last lines that the workers of a run on this machine wrote.',
  request: { params: runIdParam },
  responses: { 200: json(z.array(schemas.workerLog), 'The logs.'), ...refusals },
});
const eventsRoute = createRoute({
  method: 'get',
  path: '/runs/{runId}/events',
  summary: 'Server-sent events as the run goes on. Last-Event-ID, or `after`, says what is known already.',
  request: { params: runIdParam, query: afterQuery },
  responses: {
    200: {
      description:
        '`line`: a line of the journal, its seq is the id. `pulse`: state, holder and live status. `reset`: another run has taken this name; read it anew. `problem`: it cannot be followed any more.',
      content: { 'text/event-stream': { schema: z.string() } },
    },
    ...refusals,
  },
});

/** `/api`: everything that the page knows, for programs as well. `/api/openapi.json` describes it. Reads only. */
export function createApi(followers: RunFollowers, server: ServerDescription): OpenAPIHono {
  const { reader } = followers;
  const api = new OpenAPIHono({
    defaultHook: (result, c) => {
      if (result.success) return undefined;
      const [issue] = result.error.issues;
      return c.json({ code: 'REQUEST', message: `${issue?.path.join('.')}: ${issue?.message}` }, 400);
    },
  });
  api.use(async (c, next) => {
    c.header('Cache-Control', 'no-store');
    await next();
  });
  api.use(compress());
  api.onError((error, c) => {
    if (!(error instanceof InputError)) throw error;
    const { code, message } = error;
    return c.json({ code, message }, code === 'RUN_UNKNOWN' ? 404 : code === 'RUN_ID' ? 400 : 422);
  });

  api.openapi(serverRoute, (c) => c.json(server, 200));
  api.openapi(listRoute, async (c) => c.json(await reader.list(), 200));
  api.openapi(runRoute, async (c) => {
    const { after, limit } = c.req.valid('query');
    const { runId } = c.req.valid('param');
    const follower = await (limit === undefined ? followers.get(runId) : followers.begin(runId, after + 1));
    return snapshotResponse(c, follower, after + 1, limit);
  });
  api.openapi(overviewRoute, async (c) => c.json(await reader.overview(c.req.valid('param').runId), 200));
  api.openapi(logsRoute, async (c) => {
    const { runsFolder, runId } = await followers.get(c.req.valid('param').runId);
    return c.json(await readLogs(runsFolder, runId), 200);
  });
  api.openapi(eventsRoute, async (c) => {
    const lastId = Number(c.req.header('last-event-id') ?? Number.NaN);
    const after = Number.isInteger(lastId) ? lastId : c.req.valid('query').after;
    return eventStream(c, await followers.begin(c.req.valid('param').runId, after + 1), after);
  });
  api.doc31('/openapi.json', {
    openapi: '3.1.0',
    info: {
      title: 'nesgd dashboard',
      version: '1',
      description: 'Runs of neuroevolution with SGD, read from their journals.',
    },
    servers: [{ url: '/api' }],
  });
  api.notFound((c) => c.json({ code: 'PATH', message: '/api/openapi.json says what there is' }, 404));
  return api;
}
