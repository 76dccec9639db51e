import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

const LONGEST_HASHED = 2 ** 20;

/** Every file and folder below one, each file with its size and, unless it is large, its content's hash. Links are not followed. */
export async function listing(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const nested = entries.map(async (entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return [path, ...(await listing(path))];
    if (!entry.isFile()) return [path];
    const { size } = await stat(path);
    const hash =
      size > LONGEST_HASHED
        ? ''
        : createHash('sha256')
            .update(await readFile(path))
            .digest('hex');
    return [`${path} ${size} ${hash}`];
  });
  return (await Promise.all(nested)).flat().sort();
}
