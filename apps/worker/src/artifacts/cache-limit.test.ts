import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type CacheFolder, cacheFolder } from '@nesgd/core/storage';
import { type Artifact, artifactPath, lastUsePath } from '@nesgd/core/transfer';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { IN_USE_MS, makeRoom } from './cache-limit.js';

const name = (digit: string) => digit.repeat(64);
const HOUR = 3600_000;

describe('makeRoom', () => {
  let folder: string;
  let cache: CacheFolder;
  const nothing: ReadonlySet<string> = new Set();
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nesgd-limit-'));
    cache = cacheFolder(folder);
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** Puts 100 bytes there that were last used so long ago. */
  async function put(artifact: Artifact, usedMsAgo: number): Promise<string> {
    const path = artifactPath(cache, artifact);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, Buffer.alloc(100));
    const used = (Date.now() - usedMsAgo) / 1000;
    await utimes(lastUsePath(cache, artifact), used, used);
    return path;
  }

  const blobs = () => readdir(cache.blobs.folder);
  const datasets = () => readdir(cache.datasets);

  it('removes what was used longest ago, weights and data sets alike, and no more than it must', async () => {
    await put({ kind: 'blobs', sha256: name('a') }, 2 * HOUR);
    await put({ kind: 'datasets', sha256: name('b') }, 4 * HOUR);
    await put({ kind: 'blobs', sha256: name('c') }, 3 * HOUR);
    expect(await makeRoom(cache, { limitBytes: 250, incomingBytes: 100, keep: nothing })).toBe(0);
    expect(await blobs()).toEqual([name('a')]);
    expect(await datasets()).toEqual([]);
  });

  it('leaves all where it fits, to the byte', async () => {
    await put({ kind: 'blobs', sha256: name('a') }, HOUR);
    await put({ kind: 'blobs', sha256: name('b') }, HOUR);
    expect(await makeRoom(cache, { limitBytes: 300, incomingBytes: 100, keep: nothing })).toBe(0);
    expect((await blobs()).length).toBe(2);
  });

  it('leaves what is kept and what any worker uses, and says how much that is too much', async () => {
    const kept = await put({ kind: 'blobs', sha256: name('a') }, 5 * HOUR);
    await put({ kind: 'datasets', sha256: name('b') }, IN_USE_MS / 2);
    await put({ kind: 'blobs', sha256: name('c') }, HOUR);
    expect(await makeRoom(cache, { limitBytes: 150, incomingBytes: 0, keep: new Set([kept]) })).toBe(50);
    expect(await blobs()).toEqual([name('a')]);
    expect(await datasets()).toEqual([name('b')]);
  });

  it('removes nothing but what it could fetch again', async () => {
    await mkdir(cache.datasets, { recursive: true });
    await mkdir(cache.alphas, { recursive: true });
    const others = [join(cache.datasets, 'sources.json'), join(cache.alphas, 'x.json'), join(folder, 'notes.txt')];
    for (const path of others) {
      await writeFile(path, Buffer.alloc(1000));
      await utimes(path, 0, 0);
    }
    await makeRoom(cache, { limitBytes: 1, incomingBytes: 0, keep: nothing });
    expect(await datasets()).toEqual(['sources.json']);
    expect(await readdir(cache.alphas)).toEqual(['x.json']);
  });

  it('has nothing to do in a folder that is new', async () => {
    expect(await makeRoom(cache, { limitBytes: 10, incomingBytes: 5, keep: nothing })).toBe(0);
  });
});
