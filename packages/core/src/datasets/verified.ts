import type { Stats } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomically } from '../storage/blob-store.js';

/**
 * Remembers that a packed file's content was held against its hash, so that a machine reads it through once and not with
 * every trainer that starts. What it stands for ends with any change of the file that a file system shows.
 */
const stampSchema = z.strictObject({ ino: z.number(), size: z.number(), mtimeMs: z.number(), ctimeMs: z.number() });
type Stamp = z.infer<typeof stampSchema>;

/** @param packed path of the packed file, whose state is `about`. */
export async function isVerified(packed: string, about: Stats): Promise<boolean> {
  try {
    const remembered = stampSchema.parse(JSON.parse(await readFile(stampPath(packed), 'utf8')));
    return JSON.stringify(stampOf(remembered)) === JSON.stringify(stampOf(about));
  } catch {
    return false; // Nothing, or nothing legible: it is verified again.
  }
}

/** A folder that cannot be written to remembers nothing, and every opening verifies. */
export async function rememberVerified(packed: string, about: Stats): Promise<void> {
  await writeFileAtomically(stampPath(packed), JSON.stringify(stampOf(about))).catch(() => {});
}

function stampOf({ ino, size, mtimeMs, ctimeMs }: Stamp): Stamp {
  return { ino, size, mtimeMs, ctimeMs };
}

function stampPath(packed: string): string {
  return join(dirname(packed), 'verified.json');
}
