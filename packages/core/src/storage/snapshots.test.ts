import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CacheFolder, cacheFolder } from './cache-folder.js';
import { SnapshotStore } from './snapshots.js';
import { keyOnProcessor, trainingKey } from './training-key.js';

describe('SnapshotStore', () => {
  const key = trainingKey({ kind: 'alpha', seed: 1 });
  let cache: CacheFolder;
  let store: SnapshotStore;
  beforeEach(async () => {
    cache = cacheFolder(await mkdtemp(join(tmpdir(), 'nesgd-snapshots-')));
    store = new SnapshotStore(cache);
  });
  afterEach(() => rm(cache.root, { recursive: true }));
  const blobs = () => readdir(cache.blobs.folder).catch(() => []);

  it('finds what was kept last, and has removed what was kept before', async () => {
    await store.keep(key, 10, Buffer.from('ten'));
    const later = await store.keep(key, 20, Buffer.from('twenty'));
    expect(await store.find(key)).toEqual(later);
    expect((await cache.blobs.get(later!.sha256)).toString()).toBe('twenty');
    expect(await blobs()).toEqual([later!.sha256]);
  });

  it('a slower worker of the same job does not set it back', async () => {
    const ahead = await store.keep(key, 20, Buffer.from('twenty'));
    expect(await store.keep(key, 10, Buffer.from('ten'))).toBeUndefined();
    await store.point(key, { steps: 10, sha256: '0'.repeat(64) });
    expect(await store.find(key)).toEqual(ahead);
    expect(await blobs()).toEqual([ahead!.sha256]);
  });

  it('the same state kept twice stays', async () => {
    await store.keep(key, 10, Buffer.from('ten'));
    const again = await store.keep(key, 10, Buffer.from('ten'));
    expect((await cache.blobs.get(again!.sha256)).toString()).toBe('ten');
  });

  it('clear: leaves nothing, of a job that has none as well', async () => {
    await store.keep(key, 10, Buffer.from('ten'));
    await store.clear(key);
    await store.clear(key);
    expect(await store.find(key)).toBeUndefined();
    expect([...(await blobs()), ...(await readdir(cache.snapshots))]).toEqual([]);
  });

  it('keeps apart what kinds of processors have come to; all go when the job is done, and no other job', async () => {
    const [amd, intel] = [keyOnProcessor(key, 'AMD'), keyOnProcessor(key, 'Intel')];
    const other = await store.keep(trainingKey({ kind: 'other' }), 1, Buffer.from('other'));
    await store.keep(amd, 20, Buffer.from('of an AMD'));
    await store.keep(key, 5, Buffer.from('of any'));
    expect(await store.find(intel)).toBeUndefined();
    const fresh = await store.keep(intel, 10, Buffer.from('of an Intel'));
    expect(await store.find(intel)).toEqual(fresh);
    await store.clearAll(key);
    expect([await store.find(amd), await store.find(intel), await store.find(key)]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(await blobs()).toEqual([other!.sha256]);
  });

  it.each(['', '{', '{"steps":-1,"sha256":"0"}', `{"steps":1,"sha256":"../../etc/passwd"}`, 'x'.repeat(5_000)])(
    'a damaged pointer is none: %.30s',
    async (text) => {
      await store.keep(key, 10, Buffer.from('ten'));
      await writeFile(join(cache.snapshots, `${key}.json`), text);
      expect(await store.find(key)).toBeUndefined();
    },
  );

  it('sweep: removes what was left for a week, and nothing else', async () => {
    const old = trainingKey({ kind: 'old' });
    await store.keep(old, 1, Buffer.from('old'));
    const fresh = await store.keep(key, 1, Buffer.from('fresh'));
    const eightDaysAgo = new Date(Date.now() - 8 * 24 * 3600 * 1000);
    await utimes(join(cache.snapshots, `${old}.json`), eightDaysAgo, eightDaysAgo);
    await store.sweep();
    expect(await store.find(old)).toBeUndefined();
    expect(await store.find(key)).toEqual(fresh);
    expect(await blobs()).toEqual([fresh!.sha256]);
  });

  it.each(['../../etc/passwd', `${'0'.repeat(64)}-../x`, `${'0'.repeat(64)}-`])(
    'lets no name but hashes into a path: %s',
    async (name) => {
      await expect(store.find(name)).rejects.toThrow('not the name');
    },
  );
});
