import { open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runPath } from '@nesgd/core/run';
import type { WorkerLog } from '@nesgd/core/view';

const MOST_LOGS = 64;
const TAIL_BYTES = 16 * 1024;

/**
 * The last lines of what the workers of a run wrote, as far as they ran on this machine.
 * Only plain files of the run's own log folder are read: a link could lead elsewhere.
 */
export async function readLogs(runsFolder: string, runId: string): Promise<WorkerLog[]> {
  const folder = join(runPath(runsFolder, runId), 'logs');
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const names = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  const logs = names
    .sort()
    .slice(0, MOST_LOGS)
    .map(async (name) => ({ name, lines: await tailOf(join(folder, name)) }));
  return Promise.all(logs);
}

/** Whole lines only. */
async function tailOf(path: string): Promise<string[]> {
  const file = await open(path);
  try {
    const { size } = await file.stat();
    const start = Math.max(0, size - TAIL_BYTES);
    if (size === start) return [];
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), { position: start });
    const lines = buffer.subarray(0, bytesRead).toString('utf8').split('\n');
    return (start > 0 ? lines.slice(1) : lines).filter((line) => line !== '');
  } finally {
    await file.close();
  }
}
