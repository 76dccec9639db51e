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

/** What `keyOnProcessor` gives; its first part is the training's key. */
const NAME = /^([0-9a-f]{64})(-[0-9a-f]{16})?$/;

/** @returns the key in a snapshot's name; undefined for every other text. */
export const keyOfSnapshot = (name: string): string | undefined => NAME.exec(name)?.[1];

/**
 * The last state of each training under way in a cache folder: the state is a blob, and `snapshots/<name>.json` says
 * which one. Both are written atomically, the blob first, so a crash leaves the snapshot before or the new one. Several
 * workers may be at the same job: the furthest counts, and all states of one job lead to the same bits.
 */
export class SnapshotStore {
  #last: Promise<unknown> = Promise.resolve();

  constructor(private readonly cache: Pick<CacheFolder, 'blobs' | 'snapshots'>) {}

  /** @returns undefined where there is none, or what is there is damaged. */
  async find(name: string): Promise<Snapshot | undefined> {
    const path = this.#path(name);
    const size = await stat(path).then(
      (file) => file.size,
      () => 0,
    );
    if (size === 0 || size > LARGEST_POINTER_BYTES) return undefined;
    const parsed = snapshotSchema.safeParse(parseJson(await readFile(path, 'utf8').catch(() => '')));
    return parsed.data;
  }

  /** Stores a state. @returns undefined where one that is further is there already. */
  async keep(name: string, steps: number, state: Uint8Array): Promise<Snapshot | undefined> {
    const before = await this.find(name);
    if (before && before.steps > steps) return undefined;
    const snapshot = { steps, sha256: await this.cache.blobs.put(state) };
    await this.point(name, snapshot);
    return snapshot;
  }

  /**
   * Says that a job's state is a blob which is here by now, unless a state that is further is known.
   * @returns the snapshot that counts now.
   */
  point(name: string, snapshot: Snapshot): Promise<Snapshot> {
    // One at a time: of two that both look first, one would leave the other's blob behind, or set it back.
    const pointed = this.#last.then(() => this.#point(name, snapshot));
    this.#last = pointed.catch(() => {});
    return pointed;
  }

  async #point(name: string, snapshot: Snapshot): Promise<Snapshot> {
    const before = await this.find(name);
    if (before && (before.steps > snapshot.steps || before.sha256 === snapshot.sha256)) return before;
    await writeFileAtomically(this.#path(name), JSON.stringify(snapshot));
    // A run's artifacts may have the very same content.
    if (before) await this.cache.blobs.deleteUnlessShared(before.sha256);
    return snapshot;
  }

  /** Removes the snapshot and its state: the job is done, or the state is of no use. */
  async clear(name: string): Promise<void> {
    const snapshot = await this.find(name);
    await rm(this.#path(name), { force: true });
    if (snapshot) await this.cache.blobs.deleteUnlessShared(snapshot.sha256);
  }

  /** Removes the snapshots of a training that is done, of whichever processors. */
  async clearAll(key: string): Promise<void> {
    for (const name of await this.#names()) if (keyOfSnapshot(name) === key) await this.clear(name);
  }

  /** Removes the snapshots of jobs that nobody went on with for a week. */
  async sweep(now = Date.now()): Promise<void> {
    for (const name of await this.#names()) {
      const about = await stat(this.#path(name)).catch(() => undefined);
      if (about && now - about.mtimeMs > FORGOTTEN_AFTER_MS) await this.clear(name);
    }
  }

  async #names(): Promise<string[]> {
    const files = await readdir(this.cache.snapshots).catch(() => []);
    return files.flatMap((file) => (file.endsWith('.json') && NAME.test(file.slice(0, -5)) ? [file.slice(0, -5)] : []));
  }

  #path(name: string): string {
    // The name goes into a path: nothing but hashes may pass.
    if (!NAME.test(name)) throw new Error(`not the name of a snapshot: ${JSON.stringify(name)}`);
    return join(this.cache.snapshots, `${name}.json`);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
