import { access, constants, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { InputError } from '../errors.js';
import type { CacheFolder } from './cache-folder.js';

/** Looks, without writing, whether a folder can be written in, or made. @throws the system's error where not. */
export async function checkWritable(folder: string): Promise<void> {
  const existing = await nearestExisting(resolve(folder));
  if (!(await stat(existing)).isDirectory()) throw new Error(`${existing} is not a folder`);
  await access(existing, constants.W_OK | constants.X_OK);
}

/** @throws InputError where data sets or weights cannot be stored there. */
export async function checkCacheFolder({ root, datasets, blobs, snapshots, alphas }: CacheFolder): Promise<void> {
  for (const folder of [root, datasets, blobs.folder, snapshots, alphas]) {
    await checkWritable(folder).catch((cause) => {
      throw new InputError(
        'CACHE_FOLDER',
        `the cache folder ${root} cannot be written in: ${(cause as Error).message}; NESGD_CACHE names another`,
        false,
        { cause },
      );
    });
  }
}

async function nearestExisting(path: string): Promise<string> {
  const exists = await access(path).then(
    () => true,
    () => false,
  );
  return exists || dirname(path) === path ? path : nearestExisting(dirname(path));
}
