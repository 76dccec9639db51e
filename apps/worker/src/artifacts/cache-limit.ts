import { readdir, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { CacheFolder } from '@nesgd/core/storage';
import { type Artifact, artifactPath, incomingFolder, lastUsePath } from '@nesgd/core/transfer';

/** Workers touch what their job uses every minute: what was touched within this time is in use, whoever uses it. */
export const IN_USE_MS = 5 * 60_000;

interface Entry {
  readonly path: string;
  readonly bytes: number;
  readonly touchedMs: number;
}

/**
 * Removes what was used longest ago until `incomingBytes` more fit below the limit. A modification time is when
 * something was last used (`lastUsePath`); what a job uses now stays, even where that is more than the limit.
 * @param keep paths that stay in any case.
 * @returns bytes above the limit all the same; 0 where all is well.
 */
export async function makeRoom(
  cache: CacheFolder,
  { limitBytes, incomingBytes, keep }: { limitBytes: number; incomingBytes: number; keep: ReadonlySet<string> },
): Promise<number> {
  const entries = await entriesOf(cache);
  let bytes = incomingBytes + entries.reduce((sum, entry) => sum + entry.bytes, 0);
  const inUseSince = Date.now() - IN_USE_MS;
  const removable = entries.filter(({ path, touchedMs }) => touchedMs < inUseSince && !keep.has(path));
  for (const entry of removable.sort((a, b) => a.touchedMs - b.touchedMs)) {
    if (bytes <= limitBytes) break;
    const isDataset = dirname(dirname(entry.path)) === cache.datasets;
    await rm(isDataset ? dirname(entry.path) : entry.path, { recursive: true, force: true });
    bytes -= entry.bytes;
  }
  return Math.max(0, bytes - limitBytes);
}

async function entriesOf(cache: CacheFolder): Promise<Entry[]> {
  const found: { path: string; usedPath: string }[] = [];
  for (const [kind, folder] of [
    ['blobs', cache.blobs.folder],
    ['datasets', cache.datasets],
  ] as const) {
    for (const sha256 of await list(folder)) {
      const artifact: Artifact = { kind, sha256 };
      if (/^[0-9a-f]{64}$/.test(sha256))
        found.push({ path: artifactPath(cache, artifact), usedPath: lastUsePath(cache, artifact) });
    }
  }
  for (const name of await list(incomingFolder(cache))) {
    const path = join(incomingFolder(cache), name);
    found.push({ path, usedPath: path });
  }
  const entries = await Promise.all(
    found.map(({ path, usedPath }) =>
      Promise.all([stat(path), stat(usedPath)]).then(
        ([file, used]) => [{ path, bytes: file.size, touchedMs: used.mtimeMs }],
        () => [],
      ),
    ),
  );
  return entries.flat();
}

function list(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
