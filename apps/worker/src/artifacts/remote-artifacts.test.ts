import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, stat, utimes, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { JobResult, MeasureJob } from '@nesgd/core/protocol';
import { type CacheFolder, cacheFolder } from '@nesgd/core/storage';
import { artifactOfRoute, artifactPath } from '@nesgd/core/transfer';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RefusedJobError } from '../refused-job-error.js';
import { CoordinatorClient } from './coordinator-client.js';
import { RemoteArtifacts, type RemoteArtifactsOptions } from './remote-artifacts.js';
import { blobOf, type FakeCoordinator, fakeCoordinator, HASTY, serve } from './test-support.js';

const PACKED = randomBytes(1_000);
const WEIGHTS = randomBytes(2_000);
const JOB = {
  kind: 'measure',
  weights: blobOf(WEIGHTS).sha256,
  data: { dataset: blobOf(PACKED).sha256 },
} as MeasureJob;
const signal = new AbortController().signal;

let folder: string;
let cache: CacheFolder;
let server: FakeCoordinator;
/** What the coordinator has, by SHA-256. */
let shelf: Map<string, Buffer>;
/** Sent instead of an answer while there is one. */
let trouble: number[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nesgd-remote-'));
  cache = cacheFolder(folder);
  shelf = new Map([PACKED, WEIGHTS].map((content) => [blobOf(content).sha256, content]));
  trouble = [];
  server = await fakeCoordinator((request, response) => {
    const status = trouble.shift();
    const { sha256 } = artifactOfRoute(request.url ?? '') ?? { sha256: '' };
    const content = shelf.get(sha256);
    if (status) return void response.writeHead(status).end();
    if (request.method === 'PUT') {
      return void bodyOf(request).then((body) => {
        shelf.set(sha256, body);
        response.writeHead(201).end();
      });
    }
    return content ? serve(content, request, response) : void response.writeHead(404).end();
  });
});
afterEach(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function remote(options: Partial<RemoteArtifactsOptions> = {}): RemoteArtifacts {
  const coordinator = new CoordinatorClient({ url: server.url, secret: 's' });
  return new RemoteArtifacts({ cache, coordinator, log: pino({ level: 'silent' }), patience: HASTY, ...options });
}

const dataset = () => artifactPath(cache, { kind: 'datasets', sha256: JOB.data.dataset });
const resultWith = (weights: string | null) => ({ weights }) as JobResult;

describe('RemoteArtifacts.prepare', () => {
  it('brings data set and weights to where a trainer looks for them', async () => {
    (await remote().prepare(JOB, signal))();
    expect((await cache.blobs.get(JOB.weights)).equals(WEIGHTS)).toBe(true);
    expect(server.requests.length).toBe(2);
    (await remote().prepare(JOB, signal))();
    expect(server.requests.length).toBe(2);
  });

  it.each([401, 404])('refuses the job where the answer is %d', async (status) => {
    trouble = [status];
    await expect(remote().prepare(JOB, signal)).rejects.toBeInstanceOf(RefusedJobError);
  });

  it('refuses the job where this machine cannot store what it needs', async () => {
    await writeFile(join(folder, 'incoming'), 'a file where the folder should be');
    await expect(remote().prepare(JOB, signal)).rejects.toBeInstanceOf(RefusedJobError);
  });

  it('passes on the reason of a worker that is told to stop', async () => {
    const reason = new Error('told to stop');
    await expect(remote().prepare(JOB, AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  it('keeps below the limit by removing what is old, not what it has just brought', async () => {
    const old = await cache.blobs.put(randomBytes(5_000));
    await utimes(cache.blobs.path(old), 0, 0);
    (await remote({ cacheLimitBytes: 3_500 }).prepare(JOB, signal))();
    expect(await cache.blobs.has(old)).toBe(false);
    expect(await cache.blobs.has(JOB.weights)).toBe(true);
  });

  it('counts old files that the job needs as used now, for itself and for the other workers of the folder', async () => {
    await cache.blobs.put(WEIGHTS);
    await utimes(cache.blobs.path(JOB.weights), 0, 0);
    (await remote({ cacheLimitBytes: 1 }).prepare(JOB, signal))();
    expect((await stat(cache.blobs.path(JOB.weights))).mtimeMs).toBeGreaterThan(Date.now() - 3600_000);
    expect(server.requests.length).toBe(1);
  });
});

describe('a data set in use', () => {
  it('is told by the time of its folder; its file, which trainers watch, is left alone', async () => {
    const path = artifactPath(cache, { kind: 'datasets', sha256: JOB.data.dataset });
    (await remote().prepare(JOB, signal))();
    await utimes(path, 0, 0);
    await utimes(dirname(path), 0, 0);
    const { ctimeMs } = await stat(path);
    (await remote().prepare(JOB, signal))();
    expect(await stat(path)).toMatchObject({ mtimeMs: 0, ctimeMs });
    expect((await stat(dirname(path))).mtimeMs).toBeGreaterThan(Date.now() - 3600_000);
  });
});

describe('RemoteArtifacts.deliver', () => {
  it('sends weights that the coordinator lacks, once', async () => {
    const weights = await cache.blobs.put(randomBytes(200_000));
    await remote().deliver(resultWith(weights), signal);
    await remote().deliver(resultWith(weights), signal);
    expect(shelf.get(weights)?.equals(await cache.blobs.get(weights))).toBe(true);
    expect(server.requests.filter((request) => request.startsWith('PUT')).length).toBe(1);
  });

  it('has nothing to send for a job that stored none', async () => {
    await remote().deliver(resultWith(null), signal);
    expect(server.requests).toEqual([]);
  });

  it('tries again while the coordinator is in trouble', async () => {
    trouble = [503, 500];
    const weights = await cache.blobs.put(randomBytes(1_000));
    await remote().deliver(resultWith(weights), signal);
    expect(shelf.has(weights)).toBe(true);
  });

  it('refuses the job where the coordinator does not take them', async () => {
    trouble = [404, 422];
    const weights = await cache.blobs.put(randomBytes(1_000));
    await expect(remote().deliver(resultWith(weights), signal)).rejects.toBeInstanceOf(RefusedJobError);
  });
});

describe('RemoteArtifacts.discardDamaged', () => {
  it('removes what has changed on the disk and leaves the rest, so that it is fetched anew', async () => {
    await cache.blobs.put(WEIGHTS);
    await mkdir(dirname(dataset()), { recursive: true });
    await writeFile(dataset(), 'damaged');
    await remote().discardDamaged(JOB);
    expect(await cache.blobs.has(JOB.weights)).toBe(true);
    (await remote().prepare(JOB, signal))();
    expect(server.requests.map((request) => request.split('/')[2])).toEqual(['datasets']);
  });
});
