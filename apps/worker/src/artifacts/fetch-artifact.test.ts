import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CacheFolder, cacheFolder } from '@nesgd/core/storage';
import { artifactRoute } from '@nesgd/core/transfer';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CoordinatorClient } from './coordinator-client.js';
import { type FetchOptions, fetchArtifact } from './fetch-artifact.js';
import { blobOf, type FakeCoordinator, fakeCoordinator, HASTY, serve } from './test-support.js';

const CONTENT = randomBytes(300_000);
const ARTIFACT = blobOf(CONTENT);
const PATH = artifactRoute(ARTIFACT);

let folder: string;
let cache: CacheFolder;
let server: FakeCoordinator | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nesgd-fetch-'));
  cache = cacheFolder(folder);
});
afterEach(async () => {
  await server?.close();
  server = undefined;
  await rm(folder, { recursive: true });
});

async function fetchFrom(
  answer: (request: IncomingMessage, response: ServerResponse, count: number) => void,
  changes: Partial<FetchOptions> & { idleTimeoutMs?: number } = {},
): Promise<boolean> {
  server ??= await fakeCoordinator(answer);
  const { idleTimeoutMs = 10_000, ...options } = changes;
  const coordinator = new CoordinatorClient({ url: server.url, secret: 's' }, { idleTimeoutMs });
  return fetchArtifact(ARTIFACT, { ...HASTY, cache, coordinator, signal: new AbortController().signal, ...options });
}

const cached = async () => (await cache.blobs.get(ARTIFACT.sha256)).equals(CONTENT);
const offsetOf = (request: string) => Number(/ bytes=(\d+)-$/.exec(request)?.[1] ?? 0);
const within = (least: number, most: number) =>
  expect.toSatisfy((value: number) => value >= least && value <= most, `from ${least} to ${most}`);
const incoming = () => readdir(join(folder, 'incoming'));

describe('fetchArtifact', () => {
  it('brings what is missing, with the secret, and a second time asks nobody', async () => {
    const answer = (request: IncomingMessage, response: ServerResponse) => {
      if (request.headers.authorization === 'Bearer s') serve(CONTENT, request, response);
      else response.writeHead(401).end();
    };
    expect(await fetchFrom(answer)).toBe(true);
    expect(await fetchFrom(answer)).toBe(false);
    expect(await cached()).toBe(true);
    expect(server?.requests).toEqual([`GET ${PATH}`]);
    expect(await incoming()).toEqual([]);
  });

  it('goes on where the connection broke, however often', async () => {
    await fetchFrom((request, response, count) =>
      serve(CONTENT, request, response, Math.min(count * 100_000, CONTENT.length)),
    );
    expect(await cached()).toBe(true);
    // What stood between socket and disk when it broke is asked for again.
    expect(server?.requests.map(offsetOf)).toEqual([0, within(1, 100_000), within(100_001, 200_000)]);
  });

  it('goes on with the part that a worker left which was killed', async () => {
    const stop = new AbortController();
    const first = fetchFrom(
      (request, response, count) => {
        if (count > 1) return serve(CONTENT, request, response);
        response.setHeader('Content-Length', CONTENT.length).writeHead(200);
        response.write(CONTENT.subarray(0, 50_000)); // And not a word more.
      },
      { signal: stop.signal, makeRoom: async () => void setTimeout(() => stop.abort(new Error('killed')), 200) },
    );
    await expect(first).rejects.toThrow('killed');
    await fetchFrom(() => {});
    expect(await cached()).toBe(true);
    expect(server?.requests[1]).toMatch(/ bytes=[1-9]\d+-$/);
  });

  it('takes all of it anew from a server that knows no ranges', async () => {
    await fetchFrom((request, response, count) => {
      delete request.headers.range;
      serve(CONTENT, request, response, count === 1 ? 100_000 : CONTENT.length);
    });
    expect(await cached()).toBe(true);
  });

  it('begins anew where its part is longer than the content', async () => {
    await fetchFrom((request, response, count) => {
      if (count === 1) return serve(Buffer.concat([CONTENT, CONTENT]), request, response, 400_000);
      if (request.headers.range) return void response.writeHead(416).end();
      return serve(CONTENT, request, response);
    });
    expect(await cached()).toBe(true);
    expect(server?.requests.map(offsetOf)).toEqual([0, within(CONTENT.length, 400_000), 0]);
  });

  it('waits for a coordinator that is down or in trouble', async () => {
    await fetchFrom((request, response, count) => {
      if (count === 1) return void request.socket.destroy();
      if (count === 2) return void response.writeHead(503).end();
      return serve(CONTENT, request, response);
    });
    expect(await cached()).toBe(true);
  });

  it('breaks off with one that says nothing, and asks again', async () => {
    await fetchFrom((request, response, count) => count > 1 && serve(CONTENT, request, response), {
      idleTimeoutMs: 100,
    });
    expect(await cached()).toBe(true);
  });

  it('has patience with one that is slow', async () => {
    await fetchFrom(
      (_, response) => {
        response.setHeader('Content-Length', CONTENT.length).writeHead(200);
        let at = 0;
        const drip = setInterval(() => {
          response.write(CONTENT.subarray(at, at + 60_000));
          at += 60_000;
          if (at >= CONTENT.length) clearInterval(drip);
        }, 300);
      },
      { idleTimeoutMs: 1_000 },
    );
    expect(server?.requests.length).toBe(1);
  });

  it('damage on the way is found, and the content transferred anew', async () => {
    const damaged = Buffer.from(CONTENT);
    damaged[150_000]! ^= 1;
    await fetchFrom((request, response, count) => serve(count === 1 ? damaged : CONTENT, request, response));
    expect(await cached()).toBe(true);
    expect(server?.requests).toEqual([`GET ${PATH}`, `GET ${PATH}`]);
  });

  it('content that is wrong twice is refused and never gets the name', async () => {
    const other = randomBytes(300_000);
    await expect(fetchFrom((request, response) => serve(other, request, response))).rejects.toMatchObject({
      code: 'ARTIFACT_CONTENT',
      retryable: false,
    });
    expect(await cache.blobs.has(ARTIFACT.sha256)).toBe(false);
    expect(server?.requests.length).toBe(2);
  });

  it.each([
    [401, 'SECRET_WRONG'],
    [404, 'ARTIFACT_UNKNOWN'],
    [403, 'ARTIFACT_SERVICE'],
  ])('status %d is an answer: it asks once', async (status, code) => {
    await expect(fetchFrom((_, response) => void response.writeHead(status).end())).rejects.toMatchObject({ code });
    expect(server?.requests.length).toBe(1);
  });

  it('sends its secret nowhere else: a redirect is no answer', async () => {
    const heard: (string | undefined)[] = [];
    const elsewhere = await fakeCoordinator((request, response) => {
      heard.push(request.headers.authorization);
      serve(CONTENT, request, response);
    });
    await expect(
      fetchFrom((_, response) => void response.writeHead(302, { Location: elsewhere.url + PATH }).end(), {
        patienceMs: 20,
      }),
    ).rejects.toMatchObject({ code: 'COORDINATOR_UNREACHABLE' });
    expect(heard).toEqual([]);
    await elsewhere.close();
  });

  it('gives up a coordinator that stays away, and keeps the part', async () => {
    const failing = fetchFrom(
      (request, response, count) => {
        if (count === 1) return serve(CONTENT, request, response, 100_000);
        return void request.socket.destroy();
      },
      { patienceMs: 50 },
    );
    await expect(failing).rejects.toMatchObject({ code: 'COORDINATOR_UNREACHABLE' });
    expect(await incoming()).toEqual([`blobs-${ARTIFACT.sha256}.part`]);
  });

  it('eight workers of one folder fetch one thing once', async () => {
    const answer = (request: IncomingMessage, response: ServerResponse) => {
      setTimeout(() => serve(CONTENT, request, response), 50);
    };
    server = await fakeCoordinator(answer);
    const fetched = await Promise.all(Array.from({ length: 8 }, () => fetchFrom(answer)));
    expect(fetched.filter(Boolean).length).toBe(1);
    expect(server.requests.length).toBe(1);
    expect(await incoming()).toEqual([]);
  });
});
