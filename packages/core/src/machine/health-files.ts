import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

/** The files in which the workers of one `nesgd worker` keep their health: `path` of one; of several `path.1`, `path.2`, ... */
export function healthFiles(path: string, workers: number): string[] {
  return workers === 1 ? [path] : Array.from({ length: workers }, (_, i) => `${path}.${i + 1}`);
}

/** Those that are there of several workers, in the order of their numbers. */
export async function healthFilesOfSeveral(path: string): Promise<string[]> {
  const files = await readdir(dirname(path)).catch(() => []);
  const start = `${basename(path)}.`;
  return files
    .filter((file) => file.startsWith(start) && /^\d+$/.test(file.slice(start.length)))
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .map((file) => join(dirname(path), file));
}

/** Removes those that an earlier start with other cards left behind: a check would take them for workers that are stuck. */
export async function removeOtherHealthFiles(path: string, workers: number): Promise<void> {
  const ours = new Set(healthFiles(path, workers));
  const others = [path, ...(await healthFilesOfSeveral(path))].filter((file) => !ours.has(file));
  await Promise.all(others.map((file) => rm(file, { force: true })));
}
