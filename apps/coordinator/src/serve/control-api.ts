import { createRoute, type OpenAPIHono, z } from '@hono/zod-openapi';
import { controlRun } from '../control/control-run.js';
import { prioritySchema } from '../control/orders.js';
import { resumeRun, retryRun, startRun } from '../control/start-run.js';
import { drain, listWorkers, type WorkerSources } from '../control/workers.js';
import { json, refusals, runIdParam } from './api-answers.js';
import * as schemas from './api-schemas.js';

const told = {
  200: json(schemas.controlledRun, 'The run follows it, and stands so now.'),
  ...refusals,
  403: json(schemas.error, 'The request comes from a page of another server.'),
  409: json(schemas.error, 'The run is not in a state for that; the message says why.'),
  415: json(schemas.error, 'The request is not application/json.'),
  503: json(schemas.error, 'The process that works on the run does not answer, or its folder cannot be written in.'),
};

const bodyOf = <S extends z.ZodType>(schema: S) => ({
  required: true as const,
  content: { 'application/json': { schema } },
});

const pauseRoute = createRoute({
  method: 'post',
  path: '/runs/{runId}/pause',
  summary: 'No further job of the run begins. `now` gives up those under way as well; else they are finished.',
  request: { params: runIdParam, body: bodyOf(z.strictObject({ now: z.boolean().default(false) })) },
  responses: told,
});
const resumeRoute = createRoute({
  method: 'post',
  path: '/runs/{runId}/resume',
  summary: 'A paused run goes on; a stopped one in a process of its own, which outlives this server.',
  request: { params: runIdParam },
  responses: told,
});
const stopRoute = createRoute({
  method: 'post',
  path: '/runs/{runId}/stop',
  summary: 'Ends the run as Ctrl-C does: what was measured is kept. It has ended when its state is `stopped`.',
  request: { params: runIdParam },
  responses: told,
});
const priorityRoute = createRoute({
  method: 'post',
  path: '/runs/{runId}/priority',
  summary: 'Puts the jobs of a run before or behind those of others that share its workers: the higher goes first.',
  request: { params: runIdParam, body: bodyOf(z.strictObject({ priority: prioritySchema })) },
  responses: told,
});

const retryRoute = createRoute({
  method: 'post',
  path: '/runs/{runId}/retry',
  summary: 'Gives the individuals of a stopped or finished run that were given up another chance; else as `resume`.',
  request: { params: runIdParam },
  responses: told,
});
/** It becomes an argument of a process, which can hold no NUL. */
const setEntry = z
  .string()
  .max(1_000)
  .regex(/^\P{Cc}+$/u)
  .openapi({ example: 'evolution.populationSize=4' });
const startRoute = createRoute({
  method: 'post',
  path: '/runs',
  summary: 'Starts a run in a process of its own, which outlives this server.',
  request: {
    body: bodyOf(
      z.strictObject({
        experiment: z
          .string()
          .openapi({ description: 'An experiment file, YAML. It may name no files of this machine.' }),
        set: z
          .array(setEntry)
          .max(100)
          .default([])
          .openapi({ description: 'Keys to set over it, as `--set` does: `key.path=value`, or `profile=NAME`.' }),
        runId: runIdParam.shape.runId.optional(),
        priority: prioritySchema.optional(),
        workers: z.int().min(1).max(1024).optional(),
      }),
    ),
  },
  responses: {
    201: json(schemas.startedRun, 'The run has begun, or its data are being prepared.'),
    400: told[400],
    403: told[403],
    409: json(schemas.error, 'There is a run of this id.'),
    415: told[415],
    503: json(schemas.error, 'It could not be started; the message is what it said.'),
    422: json(schemas.error, 'The experiment, or what is set in it, is not valid; `faults` names each key.'),
  },
});

const workersRoute = createRoute({
  method: 'get',
  path: '/workers',
  summary: 'The workers of the broker that runs share (REDIS_URL), and of the brokers that runs have started.',
  responses: { 200: json(schemas.workerList, 'The workers.') },
});
const drainRoute = createRoute({
  method: 'post',
  path: '/workers/{worker}/drain',
  summary: 'The worker finishes its job, takes no other, and ends. Where two have the name: `name:pid`.',
  request: { params: z.object({ worker: z.string().min(1).max(220) }) },
  responses: {
    ...told,
    200: json(schemas.workerRecord, 'The worker, draining.'),
    404: json(schemas.error, 'There is no such worker.'),
  },
});

/** What changes how runs go on; nothing of it changes what they measure. */
export function addControl(api: OpenAPIHono, sources: WorkerSources): void {
  const { runsFolder } = sources;
  api.openapi(pauseRoute, async (c) => {
    const { now } = c.req.valid('json');
    return c.json(await controlRun(runsFolder, c.req.valid('param').runId, { type: 'pause', now }), 200);
  });
  api.openapi(resumeRoute, async (c) => c.json(await resumeRun(sources, c.req.valid('param').runId), 200));
  api.openapi(stopRoute, async (c) =>
    c.json(await controlRun(runsFolder, c.req.valid('param').runId, { type: 'stop' }), 200),
  );
  api.openapi(priorityRoute, async (c) => {
    const { priority } = c.req.valid('json');
    return c.json(await controlRun(runsFolder, c.req.valid('param').runId, { type: 'priority', priority }), 200);
  });
  api.openapi(retryRoute, async (c) => c.json(await retryRun(sources, c.req.valid('param').runId), 200));
  api.openapi(startRoute, async (c) => c.json(await startRun(sources, c.req.valid('json')), 201));
  api.openapi(workersRoute, async (c) => c.json(await listWorkers(sources), 200));
  api.openapi(drainRoute, async (c) => c.json(await drain(sources, c.req.valid('param').worker), 200));
}
