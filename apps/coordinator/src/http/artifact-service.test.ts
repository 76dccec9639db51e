import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { MeasureJob } from '@nesgd/core/protocol';
import type { Dispatcher, OpenedFact } from '@nesgd/core/run';
import { type CacheFolder, cacheFolder, keyOnProcessor, trainingKey } from '@nesgd/core/storage';
import { artifactPath, artifactRoute, snapshotRoute, stateRoute } from '@nesgd/core/transfer';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunEvent } from '../run-events.js';
import { type ArtifactService, startArtifactService } from './artifact-service.js';

const SECRET = 'a-secret-of-enough-length';
const WEIGHTS = randomBytes(100_000);
const PACKED = randomBytes(50_000);
const sha256 = (content: Uint8Array) => createHash('sha256').update(content).digest('hex');
const blob = (content: Uint8Array) => artifactRoute({ kind: 'blobs', sha256: sha256(content) });
const dataset = (content: Uint8Array) => artifactRoute({ kind: 'datasets', sha256: sha256(content) });

/** A job names what it needs; the rest of it is of no interest here. */
const JOB = { kind: 'measure', weights: sha256(WEIGHTS), data: { dataset: sha256(PACKED) } } as MeasureJob;
const OPENED = { blocks: [{ name: 'stem', parameters: 10_000 }] } as unknown as OpenedFact;

let folder: string;
let cache: CacheFolder;
let service: ArtifactService;
let dispatcher: Dispatcher;
const events: RunEvent[] = [];
const outcome = {} as Awaited<ReturnType<Dispatcher['dispatch']>>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nesgd-service-'));
  cache = cacheFolder(folder);
  await cache.blobs.put(WEIGHTS);
  const packed = artifactPath(cache, { kind: 'datasets', sha256: sha256(PACKED) });
  await mkdir(dirname(packed), { recursive: true });
  await writeFile(packed, PACKED);
  events.length = 0;
  service = await startArtifactService(
    { host: '127.0.0.1', port: 0, secret: SECRET },
    { cache, watch: (event) => events.push(event) },
  );
  dispatcher = service.serving({ dispatch: async () => outcome, close: async () => {} }, OPENED);
});
afterEach(async () => {
  await service.close();
  await rm(folder, { recursive: true });
});

function ask(path: string, init: RequestInit & { headers?: Record<string, string> } = {}): Promise<Response> {
  return fetch(service.url + path, { ...init, headers: { Authorization: `Bearer ${SECRET}`, ...init.headers } });
}

const bytesOf = async (response: Response) => Buffer.from(await response.arrayBuffer());

describe('artifact service: giving', () => {
  it('gives what a dispatched job names, under an ETag that is its hash', async () => {
    await dispatcher.dispatch(JOB);
    for (const [route, content] of [
      [blob(WEIGHTS), WEIGHTS],
      [dataset(PACKED), PACKED],
    ] as const) {
      const response = await ask(route);
      expect(response.status).toBe(200);
      expect(response.headers.get('etag')).toBe(`"${sha256(content)}"`);
      expect(response.headers.get('content-length')).toBe(String(content.length));
      expect((await bytesOf(response)).equals(content)).toBe(true);
    }
  });

  it('gives nothing else of the cache: before a job names it, it is not there', async () => {
    const other = randomBytes(100);
    await cache.blobs.put(other);
    expect((await ask(blob(WEIGHTS))).status).toBe(404);
    await dispatcher.dispatch(JOB);
    const refused = await ask(blob(other));
    const missing = await ask(artifactRoute({ kind: 'blobs', sha256: '0'.repeat(64) }));
    expect([refused.status, missing.status]).toEqual([404, 404]);
    expect(await refused.text()).toBe(await missing.text());
    // A name of one kind opens nothing of the other.
    expect((await ask(artifactRoute({ kind: 'datasets', sha256: sha256(WEIGHTS) }))).status).toBe(404);
  });

  it('goes on in the middle: 206 with the rest', async () => {
    await dispatcher.dispatch(JOB);
    const response = await ask(blob(WEIGHTS), { headers: { Range: 'bytes=99000-' } });
    expect(response.status).toBe(206);
    expect(response.headers.get('content-range')).toBe('bytes 99000-99999/100000');
    expect((await bytesOf(response)).equals(WEIGHTS.subarray(99_000))).toBe(true);
  });

  it('gives all of it where If-Range names something else', async () => {
    await dispatcher.dispatch(JOB);
    const response = await ask(blob(WEIGHTS), { headers: { Range: 'bytes=99000-', 'If-Range': '"other"' } });
    expect(response.status).toBe(200);
    expect((await bytesOf(response)).length).toBe(WEIGHTS.length);
  });

  it('says 416, and how long it is, to a part behind its end', async () => {
    await dispatcher.dispatch(JOB);
    const response = await ask(blob(WEIGHTS), { headers: { Range: 'bytes=100000-' } });
    expect(response.status).toBe(416);
    expect(response.headers.get('content-range')).toBe('bytes */100000');
  });

  it('HEAD says the same without content', async () => {
    await dispatcher.dispatch(JOB);
    const response = await ask(blob(WEIGHTS), { method: 'HEAD' });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-length')).toBe('100000');
    expect((await bytesOf(response)).length).toBe(0);
  });
});

describe('artifact service: taking', () => {
  const NEW = randomBytes(60_000);
  const incoming = () => readdir(join(folder, 'incoming')).catch(() => []);

  it('takes weights under their hash, and gives them from then on', async () => {
    expect((await ask(blob(NEW), { method: 'PUT', body: NEW })).status).toBe(201);
    expect((await cache.blobs.get(sha256(NEW))).equals(NEW)).toBe(true);
    expect((await bytesOf(await ask(blob(NEW)))).equals(NEW)).toBe(true);
    expect(await incoming()).toEqual([]);
  });

  it('the same weights twice, at the same time too, are stored once', async () => {
    const put = () => ask(blob(NEW), { method: 'PUT', body: NEW });
    expect((await Promise.all([put(), put()])).map(({ status }) => status)).toEqual([201, 201]);
    expect((await readdir(cache.blobs.folder)).sort()).toEqual([sha256(NEW), sha256(WEIGHTS)].sort());
    expect(await incoming()).toEqual([]);
  });

  it('refuses content of another hash, and keeps nothing of it', async () => {
    const response = await ask(blob(NEW), { method: 'PUT', body: randomBytes(1000) });
    expect(response.status).toBe(422);
    expect(await cache.blobs.has(sha256(NEW))).toBe(false);
    expect((await ask(blob(NEW))).status).toBe(404);
    expect(await incoming()).toEqual([]);
  });

  it('refuses more than a checkpoint of this network can have, whether its length is said or not', async () => {
    const large = Buffer.alloc(2 * 2 ** 20 + 200_001);
    expect((await ask(blob(large), { method: 'PUT', body: large })).status).toBe(413);
    const chunks = new ReadableStream<Uint8Array>({
      start(controller) {
        for (let at = 0; at < large.length; at += 65_536) controller.enqueue(large.subarray(at, at + 65_536));
        controller.close();
      },
    });
    const streamed = await ask(blob(large), { method: 'PUT', body: chunks, duplex: 'half' });
    expect(streamed.status).toBe(413);
    expect(await cache.blobs.has(sha256(large))).toBe(false);
    expect(await incoming()).toEqual([]);
  });

  it('refuses what says that it is too large before any of it has come', async () => {
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
    socket.write(
      `PUT ${blob(NEW)} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${SECRET}\r\nContent-Length: 9000000000\r\n\r\n`,
    );
    const [answer] = await once(socket, 'data');
    expect(String(answer)).toMatch(/^HTTP\/1\.1 413 /);
    socket.destroy();
  });

  it('takes no data sets', async () => {
    const response = await ask(dataset(NEW), { method: 'PUT', body: NEW });
    expect(response.status).toBe(405);
    expect(response.headers.get('allow')).toBe('GET, HEAD');
  });

  it('an upload that breaks off leaves nothing and disturbs nobody', async () => {
    const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
    socket.write(
      `PUT ${blob(NEW)} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${SECRET}\r\nContent-Length: 60000\r\n\r\nhalf`,
    );
    await expect.poll(incoming).toHaveLength(1);
    socket.destroy();
    await expect.poll(incoming).toEqual([]);
    expect(events).toEqual([]);
  });
});

describe('artifact service: strangers', () => {
  it.each([
    ['no secret', undefined],
    ['another', 'Bearer another-secret-of-enough-length'],
    ['half of it', `Bearer ${SECRET.slice(0, 12)}`],
    ['another scheme', `Basic ${SECRET}`],
    ['an empty one', 'Bearer '],
  ])('%s: 401, the same for what is there and what is not', async (_, authorization) => {
    await dispatcher.dispatch(JOB);
    const answers = await Promise.all(
      [blob(WEIGHTS), artifactRoute({ kind: 'blobs', sha256: '0'.repeat(64) }), '/', '/anything'].map(async (path) => {
        const response = await fetch(service.url + path, {
          headers: authorization ? { Authorization: authorization } : {},
        });
        return [response.status, response.headers.get('etag'), await response.text()];
      }),
    );
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]?.[0]).toBe(401);
  });

  it('stores nothing without the secret', async () => {
    const content = randomBytes(1000);
    const response = await fetch(service.url + blob(content), { method: 'PUT', body: content });
    expect(response.status).toBe(401);
    expect(await cache.blobs.has(sha256(content))).toBe(false);
  });

  it.each([
    '/artifacts/blobs/../../journal.jsonl',
    '/artifacts/blobs/..%2f..%2fetc%2fpasswd',
    `/artifacts/blobs/${'%30'.repeat(64)}`,
    `/artifacts/blobs//${'0'.repeat(64)}`,
    '/artifacts/datasets/..',
    '/artifacts/blobs/\0',
    '/../../../../etc/passwd',
  ])('a path is a kind and a hash, or nothing: %j', async (path) => {
    await dispatcher.dispatch(JOB);
    // As it stands: fetch would tidy it up.
    const answer = await raw(
      `GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${SECRET}\r\n\r\n`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 40[04] /);
  });

  it('headers without end are cut off, and the service goes on', async () => {
    const answer = await raw(`GET / HTTP/1.1\r\nX: ${'a'.repeat(20_000)}`);
    expect(answer).toMatch(/^HTTP\/1\.1 431 /);
    expect((await ask('/')).status).toBe(404);
  });

  function raw(text: string): Promise<string> {
    return new Promise((resolve) => {
      let answer = '';
      const socket = connect(Number(new URL(service.url).port), '127.0.0.1');
      socket.setEncoding('utf8').on('data', (part: string) => {
        answer += part;
      });
      socket.on('error', () => {}).on('close', () => resolve(answer));
      socket.write(text);
    });
  }
});

describe('artifact service: start and end', () => {
  it('says which address is taken', async () => {
    const port = Number(new URL(service.url).port);
    await expect(
      startArtifactService({ host: '127.0.0.1', port, secret: SECRET }, { cache, watch: () => {} }),
    ).rejects.toMatchObject({ code: 'LISTEN_ADDRESS', message: expect.stringContaining(`127.0.0.1:${port}`) });
  });

  it('closing ends connections that nobody uses and those that say nothing', async () => {
    await ask('/');
    const silent = connect(Number(new URL(service.url).port), '127.0.0.1');
    await new Promise((resolve) => silent.once('connect', resolve));
    const ended = new Promise((resolve) => silent.once('close', resolve));
    silent.on('error', () => {});
    await service.close();
    await ended;
  });
});

describe('artifact service: how far trainings have come', () => {
  const [TEN, TWENTY] = [randomBytes(30_000), randomBytes(30_000)];
  const key = trainingKey(JOB);
  const pointer = (content: Uint8Array, steps: number) => JSON.stringify({ steps, sha256: sha256(content) });
  const put = (content: Uint8Array, steps: number, name = key, body = content) =>
    ask(stateRoute(name, { steps, sha256: sha256(content) }), { method: 'PUT', body });
  const states = async () => (await readdir(cache.blobs.folder)).filter((name) => name !== sha256(WEIGHTS)).sort();
  /** While a job is under way. */
  async function during(look: () => Promise<void>): Promise<void> {
    const waiting = { dispatch: () => look().then(() => outcome), close: async () => {} };
    await service.serving(waiting, OPENED).dispatch(JOB);
  }

  it('takes and gives the state of a job while it is under way, and no longer', async () => {
    await during(async () => {
      expect((await ask(snapshotRoute(key))).status).toBe(404);
      expect((await put(TEN, 10)).status).toBe(201);
      expect(await (await ask(snapshotRoute(key))).text()).toBe(pointer(TEN, 10));
      expect(await bytesOf(await ask(blob(TEN)))).toEqual(TEN);
    });
    expect((await ask(snapshotRoute(key))).status).toBe(404);
    expect((await put(TWENTY, 20)).status).toBe(422);
    expect(await states()).toEqual([sha256(TEN)]);
  });

  it('keeps the furthest state alone, whichever comes first, and of several at the same time', async () => {
    await during(async () => {
      expect((await put(TEN, 10)).status).toBe(201);
      expect((await put(TWENTY, 20)).status).toBe(201);
      expect(await states()).toEqual([sha256(TWENTY)]);
      expect((await put(TEN, 10)).status).toBe(409);
      const many = Array.from({ length: 8 }, () => randomBytes(200_000));
      const answers = await Promise.all(many.map((content, i) => put(content, 21 + i)));
      for (const { status } of answers) expect([201, 409]).toContain(status);
      expect(await states()).toEqual([sha256(many[7]!)]);
    });
  });

  it('gives the state of one kind of processor to its like alone', async () => {
    const [amd, intel] = ['AMD', 'Intel'].map((kind) => keyOnProcessor(key, kind)) as [string, string];
    await during(async () => {
      expect((await put(TEN, 10, amd)).status).toBe(201);
      expect((await ask(snapshotRoute(intel))).status).toBe(404);
      expect(await (await ask(snapshotRoute(amd))).text()).toBe(pointer(TEN, 10));
    });
  });

  it('takes nothing for a state that is weights, other content, too large, or of no job under way; and names no file by it', async () => {
    await during(async () => {
      await ask(blob(TWENTY), { method: 'PUT', body: TWENTY }); // Weights that a job stored.
      expect((await put(WEIGHTS, 10)).status).toBe(422);
      expect((await put(TWENTY, 10)).status).toBe(422);
      expect((await put(TEN, 10, key, TWENTY)).status).toBe(422);
      expect((await put(Buffer.alloc(2 * 2 ** 20 + 200_001), 10)).status).toBe(413);
      expect((await put(TEN, 10, '0'.repeat(64))).status).toBe(422);
      const wrong = [`${key}/-1-${sha256(TEN)}`, `${key}/1-..`, `../../etc/passwd`, `${key}/1-${'0'.repeat(63)}`];
      for (const path of wrong)
        expect((await ask(`/snapshots/${path}`, { method: 'PUT', body: TEN })).status, path).toBe(404);
      expect((await ask(snapshotRoute(key), { method: 'PUT', body: TEN })).status).toBe(405);
      expect((await fetch(service.url + snapshotRoute(key))).status).toBe(401);
    });
    expect(await states()).toEqual([sha256(TWENTY)]);
    expect(await cache.blobs.has(sha256(WEIGHTS))).toBe(true);
  });

  it('of a job that its run has given up takes the last state, for which its end waits; and does not wait in vain', async () => {
    const stop = new AbortController();
    const aborted = async (asks: boolean) => {
      const giving = {
        dispatch: async () => {
          if (asks) await ask(snapshotRoute(key));
          stop.abort(new Error('stopped'));
          throw stop.signal.reason;
        },
        close: async () => {},
      };
      await expect(service.serving(giving, OPENED).dispatch(JOB, { signal: stop.signal })).rejects.toThrow('stopped');
    };
    await aborted(true);
    const closed = service.close();
    expect((await put(TEN, 10)).status).toBe(201);
    await closed;
    expect(await states()).toEqual([sha256(TEN)]);
    expect(events).toEqual([{ type: 'notice', text: 'waits up to 8 s for the state of 1 training on other machines' }]);
    // Of a worker of this machine, which asks for nothing here, none is awaited.
    service = await startArtifactService(
      { host: '127.0.0.1', port: 0, secret: SECRET },
      { cache, watch: (event) => events.push(event) },
    );
    await aborted(false);
    await service.close();
    expect(events).toHaveLength(1);
  });
});
