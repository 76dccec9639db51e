import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { sha256Schema } from '../protocol/jobs.js';
import { writeFileAtomically } from '../storage/blob-store.js';

/**
 * Remembers which packed data set a source became, so that a second start neither decodes nor hashes. One small file a
 * source under `<datasets>/sources/`: processes never write into one another's.
 */
const entrySchema = z.strictObject({ source: z.string(), hash: sha256Schema });

/** @param identity everything that the packed bytes depend on, as JSON. */
export function sourceKey(identity: unknown): string {
  return createHash('sha256').update(JSON.stringify(identity)).digest('hex');
}

/** @returns undefined where nothing (or nothing legible) is remembered: then the source is packed again. */
export async function recallSource(datasetsFolder: string, key: string): Promise<string | undefined> {
  try {
    return entrySchema.parse(JSON.parse(await readFile(entryPath(datasetsFolder, key), 'utf8'))).hash;
  } catch {
    return undefined;
  }
}

/** @param source the path, for people who look into the folder. */
export async function rememberSource(datasetsFolder: string, key: string, source: string, hash: string): Promise<void> {
  await writeFileAtomically(entryPath(datasetsFolder, key), JSON.stringify({ source, hash }));
}

function entryPath(datasetsFolder: string, key: string): string {
  return join(datasetsFolder, 'sources', `${key}.json`);
}
