import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InputError } from '../errors.js';
import { BlobStore } from './blob-store.js';

describe('BlobStore', () => {
  let folder: string;
  let store: BlobStore;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nesgd-blobs-'));
    store = new BlobStore(join(folder, 'blobs'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('names content by its SHA-256 and gives it back', async () => {
    const name = await store.put(Buffer.from('weights'));
    expect(name).toBe(createHash('sha256').update('weights').digest('hex'));
    expect((await store.get(name)).toString()).toBe('weights');
  });

  it('stores one content once, also when two put it at the same time, and leaves no temporary file', async () => {
    const names = await Promise.all([store.put(Buffer.from('x')), store.put(Buffer.from('x'))]);
    expect(new Set(names).size).toBe(1);
    expect(await readdir(store.folder)).toEqual([names[0]]);
  });

  it('refuses content that has changed under its name', async () => {
    const name = await store.put(Buffer.from('weights'));
    await writeFile(store.path(name), 'other');
    await expect(store.get(name)).rejects.toMatchObject({ code: 'BLOB_CORRUPT' });
  });

  it('says that a blob is missing', async () => {
    await expect(store.get('0'.repeat(64))).rejects.toMatchObject({ code: 'BLOB_MISSING' });
  });

  it.each(['../../etc/passwd', '', 'A'.repeat(64), `${'0'.repeat(64)}/x`])(
    'lets no name but a hash into a path: %j',
    (name) => {
      expect(() => store.path(name)).toThrow(InputError);
    },
  );

  it('copyTo: gives a blob to another store, and a second time does nothing', async () => {
    const other = new BlobStore(join(folder, 'other'));
    const name = await store.put(Buffer.from('weights'));
    await store.copyTo(other, name);
    await store.copyTo(other, name);
    expect((await other.get(name)).toString()).toBe('weights');
  });

  it('deleteUnlessShared: leaves a blob that another store has as well', async () => {
    const other = new BlobStore(join(folder, 'other'));
    const name = await store.put(Buffer.from('weights'));
    await store.copyTo(other, name);
    await store.deleteUnlessShared(name);
    expect(await store.has(name)).toBe(true);
    await other.delete(name);
    await store.deleteUnlessShared(name);
    expect(await store.has(name)).toBe(false);
    await store.deleteUnlessShared(name); // None is there any more: nothing to do.
  });

  it('linkAs: the blob appears under a name of its own, in place of what stood there', async () => {
    const name = await store.put(Buffer.from('weights'));
    const path = join(folder, 'best.safetensors');
    await writeFile(path, 'an older one');
    await store.linkAs(name, path);
    expect(await readFile(path, 'utf8')).toBe('weights');
    expect((await stat(store.path(name))).ino).toBe((await stat(path)).ino);
  });
});
