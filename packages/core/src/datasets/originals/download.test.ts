import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { PublishedFile } from '../known-datasets.js';
import { temporaryFolder } from '../test-support.js';
import { type DownloadOptions, download } from './download.js';

const CONTENT = randomBytes(300_000);
const digest = (algorithm: string) => createHash(algorithm).update(CONTENT).digest('hex');
const FILE: PublishedFile = { name: 'set.bin', bytes: CONTENT.length, sha256: digest('sha256'), md5: digest('md5') };

type Answer = (request: IncomingMessage, response: ServerResponse, count: number) => void;

/** A server of its own, and the Range of each request it got. */
async function serverOf(answer: Answer) {
  const ranges: (string | undefined)[] = [];
  const server = createServer((request, response) => answer(request, response, ranges.push(request.headers.range)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/set.bin`, ranges };
}

/** Serves from where it is asked for, as far as `until`; then the connection breaks. */
function serve(content: Buffer, request: IncomingMessage, response: ServerResponse, until = content.length): void {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  response.setHeader('content-length', content.length - from);
  if (from === 0) response.writeHead(200);
  else response.writeHead(206, { 'content-range': `bytes ${from}-${content.length - 1}/${content.length}` });
  if (until === content.length) response.end(content.subarray(from));
  else response.write(content.subarray(from, until), () => response.socket?.destroySoon());
}

async function fetched(answer: Answer, options: DownloadOptions = {}, place?: string) {
  const server = await serverOf(answer);
  const path = place ?? join(await temporaryFolder(), 'folder', 'set.bin');
  const done = download(server.url, FILE, path, { retryAfterMs: 1, ...options });
  return { ...server, path, folder: join(path, '..'), done };
}

describe('download', () => {
  test('brings the file under its name and leaves nothing else, telling its progress', async () => {
    const told: number[] = [];
    const { path, folder, done } = await fetched((q, r) => serve(CONTENT, q, r), { onProgress: (n) => told.push(n) });
    await done;
    expect((await readFile(path)).equals(CONTENT)).toBe(true);
    expect(await readdir(folder)).toEqual(['set.bin']);
    expect(told[0]).toBe(0);
    expect(told.at(-1)).toBe(CONTENT.length);
    expect(told).toEqual([...told].sort((a, b) => a - b));
  });

  test('goes on where the connection broke, however often', async () => {
    const { path, ranges, done } = await fetched((q, r, count) =>
      serve(CONTENT, q, r, Math.min(40_000 * count, CONTENT.length)),
    );
    await done;
    expect((await readFile(path)).equals(CONTENT)).toBe(true);
    // What stood between socket and disk when it broke is asked for again.
    const offsets = ranges.map((range) => Number(/^bytes=(\d+)-$/.exec(range ?? 'bytes=0-')?.[1]));
    expect(offsets).toEqual([...offsets].sort((x, y) => x - y));
    expect(offsets.at(-1)).toBeGreaterThan(200_000);
  });

  test('what a stopped one left is gone on with by the next', async () => {
    const stop = new AbortController();
    const first = await fetched(
      (_, response) => {
        response.writeHead(200, { 'content-length': CONTENT.length });
        response.write(CONTENT.subarray(0, 100_000)); // And not a word more.
      },
      { signal: stop.signal, onProgress: (n) => n === 100_000 && stop.abort(new Error('enough')) },
    );
    await expect(first.done).rejects.toThrow('enough');
    expect(await readdir(first.folder)).toEqual(['set.bin.part']);
    const told: number[] = [];
    const second = await fetched((q, r) => serve(CONTENT, q, r), { onProgress: (n) => told.push(n) }, first.path);
    await second.done;
    expect([told[0], told.at(-1)]).toEqual([100_000, CONTENT.length]);
    expect(second.ranges).toEqual(['bytes=100000-']);
    expect((await readFile(first.path)).equals(CONTENT)).toBe(true);
  });

  test('from a server without ranges it takes all of it anew', async () => {
    const { path, done } = await fetched((request, response, count) => {
      delete request.headers.range;
      serve(CONTENT, request, response, count === 1 ? 100_000 : CONTENT.length);
    });
    await done;
    expect((await readFile(path)).equals(CONTENT)).toBe(true);
  });

  test('a part that the server will not go on with, or that is too long, is begun anew', async () => {
    const path = join(await temporaryFolder(), 'set.bin');
    await writeFile(`${path}.part`, Buffer.alloc(1000));
    const refused = await fetched(
      (q, r) => (q.headers.range ? r.writeHead(416).end() : serve(CONTENT, q, r)),
      {},
      path,
    );
    await refused.done;
    expect(refused.ranges).toEqual(['bytes=1000-', undefined]);

    await writeFile(`${path}.part`, Buffer.alloc(CONTENT.length + 1));
    const long = await fetched((q, r) => serve(CONTENT, q, r), {}, path);
    await long.done;
    expect(long.ranges).toEqual([undefined]);
  });

  test('another file of the same length is refused, named, and nothing of it kept', async () => {
    const other = randomBytes(CONTENT.length);
    const { url, folder, done } = await fetched((q, r) => serve(other, q, r));
    await expect(done).rejects.toMatchObject({ code: 'DATASET_CONTENT' });
    await expect(done).rejects.toThrow(url);
    await expect(done).rejects.toThrow(`but that of set.bin is ${FILE.sha256}`);
    expect(await readdir(folder)).toEqual([]);
  });

  test.each<[what: string, answer: Answer]>([
    ['a page instead of the file', (_, response) => void response.end('<html>moved</html>')],
    [
      'more than the file has, without saying so before',
      (_, response) => {
        response.writeHead(200); // Chunked: without a length.
        response.end(Buffer.alloc(CONTENT.length + 1));
      },
    ],
  ])('%s is refused at once', async (_what, answer) => {
    const { ranges, path, done } = await fetched(answer);
    await expect(done).rejects.toThrow(/bytes, but set.bin has 300000: this is another file/);
    expect(ranges.length).toBe(1);
    await expect(stat(path)).rejects.toThrow();
  });

  test.each([404, 403, 410])('status %i is an answer: it asks once', async (status) => {
    const { url, ranges, done } = await fetched((_, response) => void response.writeHead(status).end());
    await expect(done).rejects.toThrow(`${url}: the server answers ${status}`);
    await expect(done).rejects.toMatchObject({ code: 'DATASET_FETCH' });
    expect(ranges.length).toBe(1);
  });

  test('a server in trouble is asked again, and given up when it stays so', async () => {
    const recovering = await fetched((q, r, count) => (count < 4 ? r.writeHead(503).end() : serve(CONTENT, q, r)));
    await recovering.done;
    const down = await fetched((_, response) => void response.writeHead(503).end());
    await expect(down.done).rejects.toThrow('the server answers 503');
    expect(down.ranges.length).toBe(5);
  });

  test('a server that falls silent is asked again', async () => {
    const { done, ranges } = await fetched((q, r, count) => count > 1 && serve(CONTENT, q, r), { idleTimeoutMs: 50 });
    await done;
    expect(ranges.length).toBe(2);
  });

  test('a full disk is said to be full, and what cannot be written is named', async () => {
    const folder = await temporaryFolder();
    await symlink('/dev/full', join(folder, 'set.bin.part'));
    const full = await fetched((q, r) => serve(CONTENT, q, r), {}, join(folder, 'set.bin'));
    await expect(full.done).rejects.toThrow(/set.bin.part cannot be written: there is no space left/);
    expect(full.ranges.length).toBe(1);

    await mkdir(join(folder, 'other.bin.part'));
    const folderThere = await fetched((q, r) => serve(CONTENT, q, r), {}, join(folder, 'other.bin'));
    await expect(folderThere.done).rejects.toThrow(/other.bin.part cannot be written: EISDIR/);
  });

  test('a server that is slow is waited for', async () => {
    const { done, ranges } = await fetched(
      (_, response) => {
        response.writeHead(200, { 'content-length': CONTENT.length });
        let at = 0;
        const drip = setInterval(() => {
          response.write(CONTENT.subarray(at, at + 60_000));
          at += 60_000;
          if (at >= CONTENT.length) clearInterval(drip);
        }, 300);
      },
      { idleTimeoutMs: 1000 },
    );
    await done;
    expect(ranges.length).toBe(1);
  });

  test('a compressed answer is not asked for', async () => {
    const asked: (string | string[] | undefined)[] = [];
    const { done } = await fetched((request, response) => {
      asked.push(request.headers['accept-encoding']);
      serve(CONTENT, request, response);
    });
    await done;
    expect(asked).toEqual(['identity']);
  });
});
