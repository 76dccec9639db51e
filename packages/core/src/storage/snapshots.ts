import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomically } from './blob-store.js';
import type { CacheFolder } from './cache-folder.js';

/** How far a job's training has come, and the blob that holds its state. */
export const snapshotSchema = z.strictObject({
  /** Steps of SGD done. */
  steps: z.int().min(0),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
export type Snapshot = z.infer<typeof snapshotSchema>;

/** A snapshot that nobody has asked for in so long is of a job that nobody will go on with. */
const FORGOTTEN_AFTER_MS = 7 * 24 * 3600 * 1000;
const LARGEST_POINTER_BYTES = 1_000;

/**
 * The last state of each training under way in a cache folder: the state is a blob, and `snapshots/<key>.json` says
 * which one. Both are written atomically, the blob first, so a crash leaves the snapshot before or the new one. Several
 * workers may be at the same job: the furthest counts, and all states of one job lead to the same bits.
 */
export class SnapshotStore {
  constructor(private readonly cache: Pick<CacheFolder, 'blobs' | 'snapshots'>) {}

  /** @returns undefined where there is none, or what is there is damaged. */
  async find(key: string): Promise<Snapshot | undefined> {
    const path = this.#path(key);
    const size = await stat(path).then(
      (file) => file.size,
      () => 0,
    );
    if (size === 0 || size > LARGEST_POINTER_BYTES) return undefined;
    const parsed = snapshotSchema.safeParse(parseJson(await readFile(path, 'utf8').catch(() => '')));
    return parsed.data;
  }

  /** Stores a state. @returns undefined where one that is further is there already. */
  async keep(key: string, steps: number, state: Uint8Array): Promise<Snapshot | undefined> {
    const before = await this.find(key);
    if (before && before.steps > steps) return undefined;
    const snapshot = { steps, sha256: await this.cache.blobs.put(state) };
    await this.point(key, snapshot);
    return snapshot;
  }

  /** Says that a job's state is a blob which is here by now, unless a state that is further is known. */
  async point(key: string, snapshot: Snapshot): Promise<void> {
    const before = await this.find(key);
    if (before && (before.steps > snapshot.steps || before.sha256 === snapshot.sha256)) return;
    await writeFileAtomically(this.#path(key), JSON.stringify(snapshot));
    if (before) await this.cache.blobs.delete(before.sha256);
  }

  /** Removes the snapshot and its state: the job is done, or the state is of no use. */
  async clear(key: string): Promise<void> {
    const snapshot = await this.find(key);
    await rm(this.#path(key), { force: true });
    if (snapshot) await this.cache.blobs.delete(snapshot.sha256);
  }

  /** Removes the snapshots of jobs that nobody went on with for a week. */
  async sweep(now = Date.now()): Promise<void> {
    for (const name of await readdir(this.cache.snapshots).catch(() => [])) {
      const key = /^([0-9a-f]{64})\.json$/.exec(name)?.[1];
      if (key === undefined) continue;
      const about = await stat(this.#path(key)).catch(() => undefined);
      if (about && now - about.mtimeMs > FORGOTTEN_AFTER_MS) await this.clear(key);
    }
  }

  #path(key: string): string {
    // The name goes into a path: nothing but a hash may pass.
    if (!/^[0-9a-f]{64}$/.test(key)) throw new Error(`not the key of a snapshot: ${JSON.stringify(key)}`);
    return join(this.cache.snapshots, `${key}.json`);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
