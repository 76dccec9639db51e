import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Written last into a provisioned folder: the size in bytes of each file that matters, by its path in the folder. A
 * folder without it, or with a file cut short (a full disk, a power cut), counts as absent and is made again.
 */
export const COMPLETE_FILE = 'complete.json';

export function isComplete(folder: string): boolean {
  try {
    const sizes: unknown = JSON.parse(readFileSync(join(folder, COMPLETE_FILE), 'utf8'));
    return (
      typeof sizes === 'object' &&
      sizes !== null &&
      Object.entries(sizes).every(([path, size]) => statSync(join(folder, path)).size === size)
    );
  } catch {
    return false;
  }
}
