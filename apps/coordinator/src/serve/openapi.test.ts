import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, it, onTestFinished } from 'vitest';
import { RunReader } from '../reading/run-reader.js';
import { createApi } from './api.js';
import { RunFollowers } from './run-followers.js';

it('the API’s description is valid OpenAPI 3.1 and names exactly the routes that there are', async () => {
  const runs = await mkdtemp(join(tmpdir(), 'nesgd-test-'));
  const reader = new RunReader(runs);
  onTestFinished(async () => {
    await reader.close();
    await rm(runs, { recursive: true });
  });
  const server = { version: '1', node: '20', login: false, queueBoard: null };
  const api = createApi(new RunFollowers(reader), server, undefined);
  const description = (await (await api.request('/openapi.json')).json()) as {
    openapi: string;
    paths: Record<string, Record<string, unknown>>;
  };
  expect(description.openapi).toBe('3.1.0');
  const validator = new Validator();
  expect(await validator.validate(description)).toEqual({ valid: true });
  const described = Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  );
  const routes = api.routes
    .filter(({ method, path }) => method !== 'ALL' && path !== '/openapi.json')
    .map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`);
  expect(described.sort()).toEqual([...new Set(routes)].sort());
  expect(described).toContain('POST /runs/{runId}/pause');
});
