import { appendFile, link, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { batchSource, fillBatch } from './batches.js';
import { type Dataset, makeLabels } from './dataset.js';
import { openDataset } from './open-dataset.js';
import { packDataset } from './pack.js';
import { packedPath, verifyPackedFile } from './packed-file.js';
import { inMemory, temporaryFolder } from './test-support.js';

const SIZE = 5 * 4 * 3;
const COUNT = 20;
const bytes = (seed: number) => Uint8Array.from({ length: COUNT * SIZE }, (_, i) => ((i + seed) * 37) % 256);
const labels = makeLabels(
  Array.from({ length: COUNT }, (_, i) => i % 3),
  3,
);

/** 20 training and 20 test images of 5x4x3, packed. */
async function packed() {
  const folder = await temporaryFolder();
  const part = (seed: number) => ({ pieces: [bytes(seed)], labels });
  const { hash } = await packDataset(
    'toy',
    { imageShape: [5, 4, 3], classNames: ['a', 'b', 'c'], train: part(1), test: part(2) },
    folder,
  );
  return { folder, hash, path: packedPath(folder, hash) };
}

async function opened({ folder, hash }: { folder: string; hash: string }): Promise<Dataset> {
  const dataset = await openDataset(hash, folder);
  onTestFinished(dataset.close);
  return dataset;
}

function batch(dataset: Dataset, part: 'train' | 'test') {
  const indices = Int32Array.of(19, 3, 0, 7, 7);
  const out = new Float32Array(indices.length * SIZE);
  const augmentation = { padCrop: 2, horizontalFlip: true, key: 5 };
  fillBatch(out, new Int32Array(indices.length), batchSource(dataset, part), indices, augmentation);
  return out;
}

describe('images in the packed file', () => {
  test('a batch has the bits of one from memory, of either part', async () => {
    const dataset = await opened(await packed());
    for (const [part, seed] of [
      ['train', 1],
      ['test', 2],
    ] as const) {
      const images = { images: inMemory(bytes(seed), SIZE), labels, count: COUNT };
      expect(batch(dataset, part)).toEqual(batch({ ...dataset, [part]: images }, part));
    }
  });

  test.each<[fault: string, spoil: (path: string) => Promise<unknown>, message: RegExp]>([
    ['shrinks', (path) => truncate(path, 600), /it has become shorter/],
    ['grows', (path) => appendFile(path, 'x'), /somebody writes into it/],
    ['is written to', (path) => utimes(path, 1, 1), /somebody writes into it/],
  ])('a file that %s while it is open is noticed by the next batch', async (_fault, spoil, message) => {
    const place = await packed();
    const dataset = await opened(place);
    await spoil(place.path);
    expect(() => batch(dataset, 'train')).toThrow(message);
    expect(() => batch(dataset, 'train')).toThrow(place.path);
  });

  test('a link to the file, or its removal, disturbs nobody who reads it', async () => {
    const place = await packed();
    const dataset = await opened(place);
    const before = batch(dataset, 'train');
    await link(place.path, join(place.folder, 'elsewhere'));
    await rm(place.path);
    expect(batch(dataset, 'train')).toEqual(before);
  });

  test('an image beyond its part is refused: the other part stands there', async () => {
    const { train } = await opened(await packed());
    expect(() => train.images.read(COUNT, new Uint8Array(SIZE))).toThrow('there is no image 20');
    expect(() => train.images.read(-1, new Uint8Array(SIZE))).toThrow('there is no image -1');
  });
});

describe('verification', () => {
  const stampOf = (path: string) => join(dirname(path), 'verified.json');

  test('a file that was verified is not read through again, and verifyPackedFile does so all the same', async () => {
    const place = await packed();
    const content = await readFile(place.path);
    content[content.length - 1]! ^= 1;
    await writeFile(place.path, content);
    // What a machine would remember that had verified these very bytes.
    const { ino, size, mtimeMs, ctimeMs } = await stat(place.path);
    await writeFile(stampOf(place.path), JSON.stringify({ ino, size, mtimeMs, ctimeMs }));
    await expect(opened(place)).resolves.toMatchObject({ name: 'toy' });
    await expect(verifyPackedFile(place.folder, place.hash)).rejects.toThrow(/is damaged: its SHA-256 is/);
  });

  test.each<[what: string, content: string | undefined]>([
    ['is missing', undefined],
    ['is no JSON', '{'],
    ['is of another file', JSON.stringify({ ino: 1, size: 2, mtimeMs: 3, ctimeMs: 4 })],
  ])('where what is remembered %s, the content is checked and remembered', async (_what, content) => {
    const place = await packed();
    await rm(stampOf(place.path));
    if (content !== undefined) await writeFile(stampOf(place.path), content);
    await opened(place);
    const { ino, size, mtimeMs, ctimeMs } = await stat(place.path);
    expect(JSON.parse(await readFile(stampOf(place.path), 'utf8'))).toEqual({ ino, size, mtimeMs, ctimeMs });
  });
});
