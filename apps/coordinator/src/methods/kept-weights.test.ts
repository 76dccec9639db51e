import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Job } from '@nesgd/core/protocol';
import type { DispatchHandlers } from '@nesgd/core/run';
import { BlobStore, cacheFolder } from '@nesgd/core/storage';
import { expect, it } from 'vitest';
import { dispatchKeeping } from './kept-weights.js';

/** @param vanishes how many times another run removes the weights before they have moved. */
async function keeping(vanishes: number) {
  const folder = await mkdtemp(join(tmpdir(), 'nesgd-kept-'));
  const cache = cacheFolder(join(folder, 'cache'));
  const artifacts = new BlobStore(join(folder, 'artifacts'));
  const asked: (boolean | undefined)[] = [];
  const notices: unknown[] = [];
  const dispatcher = {
    async dispatch(_: Job, { anew }: DispatchHandlers = {}) {
      const weights = await cache.blobs.put(Buffer.from('weights'));
      if (asked.push(anew) <= vanishes) await cache.blobs.delete(weights);
      return { result: { weights } };
    },
  };
  const conduct = { run: { artifacts }, cache, dispatcher, watch: (event: unknown) => notices.push(event) };
  const kept = await dispatchKeeping(conduct as never, {} as Job, {}).then(
    ({ result }) => artifacts.has(result.weights!),
    (error) => error.code,
  );
  await rm(folder, { recursive: true });
  return { kept, asked, notices: notices.length };
}

it('weights that another run removes before they have moved are trained again, and kept', async () => {
  expect(await keeping(0)).toEqual({ kept: true, asked: [undefined], notices: 0 });
  expect(await keeping(2)).toEqual({ kept: true, asked: [undefined, true, true], notices: 2 });
});

it('not for ever: what removes them is something else then', async () => {
  expect(await keeping(3)).toMatchObject({ kept: 'BLOB_MISSING', asked: { length: 3 } });
});
