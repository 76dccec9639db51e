import { createRoute, OpenAPIHono, z } from '@hono/zod-openapi';
import { ExperimentError, InputError, NesgdError } from '@nesgd/core/errors';
import { formatExperiment, type OpenedFact } from '@nesgd/core/run';
import { checkWritable } from '@nesgd/core/storage';
import type { ServerDescription } from '@nesgd/core/view';
import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { compress } from 'hono/compress';
import { HTTPException } from 'hono/http-exception';
import type { Redis } from 'ioredis';
import { json, refusals, runIdParam } from './api-answers.js';
import * as schemas from './api-schemas.js';
import { addControl } from './control-api.js';
import { eventStream } from './event-stream.js';
import { ownRequestsOnly } from './own-requests.js';
import type { RunFollowers } from './run-followers.js';
import { readLogs } from './run-logs.js';
import { snapshotResponse } from './run-snapshot.js';

const afterQuery = z.object({
  after: z.coerce
    .number()
    .int()
    .min(-1)
    .default(-1)
    .openapi({ description: 'Only lines of the journal with a higher seq.' }),
});
const eventsQuery = afterQuery.extend({
  journal: z.string().max(100).optional().openapi({
    description:
      'Of the snapshot that the known lines are of: where the run has another journal by now, `reset` comes first.',
  }),
});
const snapshotQuery = afterQuery.extend({
  limit: z.coerce.number().int().min(1).optional().openapi({
    description:
      'No more lines than these, and not to wait until all of a long journal is read: `reading` says how far it is.',
  }),
});

const listRoute = createRoute({
  method: 'get',
  path: '/runs',
  summary: 'The runs of the folder, oldest first; what `nesgd status --json` says.',
  request: {
    query: z.object({
      partial: z.enum(['true', 'false']).default('false').openapi({
        description: 'Not to wait for long journals: runs whose are not read yet have the state `reading`.',
      }),
    }),
  },
  responses: { 200: json(z.array(schemas.listedRun), 'The runs.'), 400: refusals[400] },
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
const experimentRoute = createRoute({
  method: 'get',
  path: '/runs/{runId}/experiment',
  summary: 'The experiment file of a run, every key of it: what starts the same again, or begins another.',
  request: { params: runIdParam },
  responses: {
    200: { description: 'The file.', content: { 'text/plain': { schema: z.string() } } },
    ...refusals,
  },
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
  request: { params: runIdParam, query: eventsQuery },
  responses: {
    200: {
      description:
        '`line`: a line of the journal, its seq is the id. `pulse`: state, paused, priority, holder and live status. `reset`: another run has taken this name; read it anew. `problem`: it cannot be followed any more.',
      content: { 'text/event-stream': { schema: z.string() } },
    },
    ...refusals,
  },
});

/** A page shows by then what is known. */
const LIST_PATIENCE_MS = 300;
/** An experiment has some kilobytes. */
const LARGEST_BODY_BYTES = 256 * 1024;
const STATUS_OF: Partial<Record<string, 400 | 404 | 409>> = {
  RUN_ID: 400,
  RUN_UNKNOWN: 404,
  WORKER_UNKNOWN: 404,
  RUN_STATE: 409,
  RUN_EXISTS: 409,
  RUN_LOCKED: 409,
  WORKER_AMBIGUOUS: 409,
  WORKER_LOCAL: 409,
};
/** Nobody did what was asked. */
const SILENT = new Set(['RUN_SILENT', 'RUN_UNWRITABLE', 'RUNS_FOLDER', 'BROKER_SILENT', 'START_FAILED']);

const tooLarge = (c: Context) =>
  c.json({ code: 'BODY', message: `a request has ${LARGEST_BODY_BYTES} bytes at most` }, 413);

async function whyReadOnly(runsFolder: string): Promise<string | null> {
  return checkWritable(runsFolder).then(
    () => null,
    (error: Error) => `the folder of runs cannot be written in (${error.message})`,
  );
}

/** `/api`: all that the page knows and does, for programs as well. `/api/openapi.json` describes it. */
export function createApi(
  followers: RunFollowers,
  server: Omit<ServerDescription, 'readOnly'>,
  connection: Redis | undefined,
): OpenAPIHono {
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
  api.use(ownRequestsOnly());
  api.use(bodyLimit({ maxSize: LARGEST_BODY_BYTES, onError: tooLarge }));
  api.onError((error, c) => {
    if (error instanceof HTTPException) return c.json({ code: 'REQUEST', message: error.message }, error.status);
    if (!(error instanceof NesgdError)) throw error;
    const { code, message } = error;
    if (SILENT.has(code)) return c.json({ code, message }, 503);
    if (error instanceof ExperimentError) return c.json({ code, message, faults: [...error.faults] }, 422);
    if (error instanceof InputError) return c.json({ code, message }, STATUS_OF[code] ?? 422);
    throw error;
  });

  api.openapi(serverRoute, async (c) => c.json({ ...server, readOnly: await whyReadOnly(reader.runsFolder) }, 200));
  api.openapi(listRoute, async (c) => {
    const isPartial = c.req.valid('query').partial === 'true';
    return c.json(await (isPartial ? reader.listSoon(LIST_PATIENCE_MS) : reader.list()), 200);
  });
  api.openapi(runRoute, async (c) => {
    const { after, limit } = c.req.valid('query');
    const { runId } = c.req.valid('param');
    const follower = await (limit === undefined ? followers.get(runId) : followers.begin(runId, after + 1));
    return snapshotResponse(c, follower, after + 1, limit);
  });
  api.openapi(overviewRoute, async (c) => c.json(await reader.overview(c.req.valid('param').runId), 200));
  api.openapi(experimentRoute, async (c) => {
    const { runId, lines } = await followers.begin(c.req.valid('param').runId, 0);
    const { fact } = JSON.parse(lines.at(0)) as { fact: OpenedFact };
    return c.text(formatExperiment(fact.experiment, `As run ${runId}, every key.`), 200);
  });
  api.openapi(logsRoute, async (c) => {
    const { runsFolder, runId } = await followers.get(c.req.valid('param').runId);
    return c.json(await readLogs(runsFolder, runId), 200);
  });
  api.openapi(eventsRoute, async (c) => {
    const lastId = Number(c.req.header('last-event-id') ?? Number.NaN);
    const { journal, after: asked } = c.req.valid('query');
    const after = Number.isInteger(lastId) ? lastId : asked;
    return eventStream(c, await followers.begin(c.req.valid('param').runId, after + 1), after, journal);
  });
  addControl(api, { runsFolder: reader.runsFolder, connection });
  api.doc31('/openapi.json', {
    openapi: '3.1.0',
    info: {
      title: 'nesgd dashboard',
      version: '1',
      description: 'Runs of neuroevolution with SGD: what they measured, and how they go on.',
    },
    servers: [{ url: '/api' }],
  });
  api.notFound((c) => c.json({ code: 'PATH', message: '/api/openapi.json says what there is' }, 404));
  return api;
}
