import { readdir } from 'node:fs/promises';
import { packedPath, readPackedHeader } from './packed-file.js';
import type { PackedHeader } from './packed-header.js';

export interface PackedListEntry {
  readonly hash: string;
  readonly path: string;
  readonly header: PackedHeader;
}

/** The packed data sets of a cache folder by name and hash; damaged ones are left out where not even the header can be read. */
export async function listPacked(datasetsFolder: string): Promise<PackedListEntry[]> {
  const hashes = (await readdir(datasetsFolder).catch(() => [])).filter((name) => /^[0-9a-f]{64}$/.test(name));
  const entries: PackedListEntry[] = [];
  for (const hash of hashes.sort()) {
    const header = await readPackedHeader(datasetsFolder, hash).catch(() => undefined);
    if (header) entries.push({ hash, path: packedPath(datasetsFolder, hash), header });
  }
  return entries.sort((a, b) => (a.header.name < b.header.name ? -1 : a.header.name > b.header.name ? 1 : 0));
}
