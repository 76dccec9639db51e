import { readdir, readFile, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { makeLabels } from './dataset.js';
import { openDataset } from './open-dataset.js';
import { packDataset } from './pack.js';
import { packedPath, readPackedHeader, storePacked } from './packed-file.js';
import type { RawDataset } from './sources/raw-dataset.js';
import { joined, temporaryFolder, writeFiles } from './test-support.js';

/** Three training images in two pieces and a test image, 1 x 2 x 1. */
function raw(classes = 2): RawDataset {
  return {
    imageShape: [1, 2, 1],
    classNames: Array.from({ length: classes }, (_, i) => `class ${i}`),
    train: {
      pieces: [Uint8Array.of(0, 255, 255, 0), Uint8Array.of(0, 255)],
      labels: makeLabels([0, classes - 1, 1], classes),
    },
    test: { pieces: [Uint8Array.of(3, 4)], labels: makeLabels([classes - 1], classes) },
  };
}

async function packed(classes?: number) {
  const folder = await temporaryFolder();
  const { hash } = await packDataset('toy', raw(classes), folder);
  return { folder, hash, path: packedPath(folder, hash) };
}

describe('a packed data set', () => {
  test.each([2, 256, 300])('comes back as it was, with %i classes', async (classes) => {
    const { folder, hash } = await packed(classes);
    const { train, test: tested, close, ...facts } = await openDataset(hash, folder);
    onTestFinished(close);
    expect(facts).toEqual({
      name: 'toy',
      imageShape: [1, 2, 1],
      classNames: raw(classes).classNames,
      mean: [0.5],
      std: [0.5],
    });
    expect([...joined(train, 2)]).toEqual([0, 255, 255, 0, 0, 255]);
    expect(train.labels).toEqual(raw(classes).train.labels);
    expect(train.count).toBe(3);
    expect([...joined(tested, 2)]).toEqual([3, 4]);
    expect(tested.labels).toEqual(raw(classes).test.labels);
  });

  test('is a safetensors file: header length, JSON, tensors without gaps', async () => {
    const { path } = await packed();
    const file = await readFile(path);
    const headerLength = Number(file.readBigUInt64LE());
    expect((8 + headerLength) % 64).toBe(0);
    const { __metadata__, ...tensors } = JSON.parse(file.toString('utf8', 8, 8 + headerLength));
    expect(Object.values(__metadata__).every((text) => typeof text === 'string')).toBe(true);
    expect(tensors).toEqual({
      'train.labels': { dtype: 'U8', shape: [3], data_offsets: [0, 3] },
      'test.labels': { dtype: 'U8', shape: [1], data_offsets: [3, 4] },
      'train.images': { dtype: 'U8', shape: [3, 1, 2, 1], data_offsets: [4, 10] },
      'test.images': { dtype: 'U8', shape: [1, 1, 2, 1], data_offsets: [10, 12] },
    });
    expect(file.length).toBe(8 + headerLength + 12);
  });

  test('has the same hash however its images came in pieces', async () => {
    const folder = await temporaryFolder();
    const { hash } = await packDataset('toy', raw(), folder);
    const { train, ...rest } = raw();
    const whole = { ...rest, train: { ...train, pieces: [Buffer.concat(train.pieces)] } };
    expect((await packDataset('toy', whole, folder)).hash).toBe(hash);
  });

  test('one changed byte is noticed on opening, and the message names the file to delete', async () => {
    const { folder, hash, path } = await packed();
    const bytes = await readFile(path);
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(path, bytes);
    await expect(openDataset(hash, folder)).rejects.toThrow(`${path} is damaged: its SHA-256 is`);
    await expect(openDataset(hash, folder)).rejects.toMatchObject({ code: 'DATASET_CORRUPT', retryable: true });
  });

  test.each([
    ['its last byte', (length: number) => length - 1, /has \d+ bytes, but its header wants \d+/],
    ['half of its header', () => 100, /its header is not that of a packed data set/],
    ['all of it', () => 0, /it has no header/],
  ])('cut by %s it is noticed by its header alone', async (_what, keep, message) => {
    const { folder, hash, path } = await packed();
    await truncate(path, keep((await readFile(path)).length));
    await expect(readPackedHeader(folder, hash)).rejects.toThrow(message);
    await expect(openDataset(hash, folder)).rejects.toThrow(/Delete it; it will be packed again/);
  });

  test('that is not there is told so', async () => {
    const hash = 'a'.repeat(64);
    await expect(openDataset(hash, await temporaryFolder())).rejects.toMatchObject({ code: 'DATASET_MISSING' });
  });

  test('a name that is no hash never becomes a path', async () => {
    await expect(openDataset('../../etc', await temporaryFolder())).rejects.toThrow('not a SHA-256: "../../etc"');
  });
});

describe('storePacked', () => {
  test('a failure while writing leaves nothing', async () => {
    const folder = await temporaryFolder();
    function* chunks() {
      yield new Uint8Array(9 * 2 ** 20);
      throw new Error('no more');
    }
    await expect(storePacked(folder, chunks())).rejects.toThrow('no more');
    expect(await readdir(folder)).toEqual([]);
  });

  test('an abort while writing leaves nothing', async () => {
    const folder = await temporaryFolder();
    const abort = new AbortController();
    function* chunks() {
      yield new Uint8Array(9 * 2 ** 20);
      abort.abort(new Error('enough'));
      yield new Uint8Array(1);
    }
    await expect(storePacked(folder, chunks(), abort.signal)).rejects.toThrow('enough');
    expect(await readdir(folder)).toEqual([]);
  });

  test('several at once leave one whole file', async () => {
    const folder = await temporaryFolder();
    const hashes = await Promise.all(
      Array.from({ length: 4 }, async () => (await packDataset('toy', raw(), folder)).hash),
    );
    expect(new Set(hashes).size).toBe(1);
    expect(await readdir(folder)).toEqual([hashes[0]]);
    await expect(openDataset(hashes[0]!, folder)).resolves.toMatchObject({ name: 'toy' });
  });

  test('what a killed process left is removed when it is old, and only then', async () => {
    const [old, fresh] = ['0123456789abcdef.tmp', 'fedcba9876543210.tmp'];
    const folder = await writeFiles(await temporaryFolder(), {
      [old]: Buffer.from('half'),
      [fresh]: Buffer.from('half'),
    });
    const twoHoursAgo = new Date(Date.now() - 2 * 60 * 60 * 1000);
    await utimes(join(folder, old), twoHoursAgo, twoHoursAgo);
    const { hash } = await packDataset('toy', raw(), folder);
    expect((await readdir(folder)).sort()).toEqual([hash, fresh].sort());
  });
});
