import { stat } from 'node:fs/promises';
import { sha256OfFile } from '../../storage/blob-store.js';
import type { PublishedFile } from '../known-datasets.js';

/** Holds a file against what its authors published. @returns what is wrong with it; undefined where nothing is. */
export async function checkOriginal(path: string, file: PublishedFile): Promise<string | undefined> {
  const { size } = await stat(path);
  if (size !== file.bytes) return `it has ${size} bytes, but ${file.name} has ${file.bytes}`;
  const got = await sha256OfFile(path);
  return got === file.sha256 ? undefined : `its SHA-256 is ${got}, but that of ${file.name} is ${file.sha256}`;
}
