import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ArtifactContentError } from '../errors.js';

const READ_BYTES = 1 << 20;

/** A transfer that nobody has gone on with for a day will not be gone on with. */
const ABANDONED_AFTER_MS = 24 * 3600 * 1000;

/**
 * A file on its way in. Bytes are hashed as they come; it gets its place by a rename once it is whole, verified and
 * flushed. Closed before that, its part stays, and the next transfer goes on where it ends.
 */
export class IncomingFile {
  #bytes = 0;
  #hash: Hash = createHash('sha256');

  private constructor(
    readonly path: string,
    private readonly file: FileHandle,
  ) {}

  /** Opens the part under `path`, or begins one. What is there already is hashed, at the speed of the disk. */
  static async open(path: string): Promise<IncomingFile> {
    await mkdir(dirname(path), { recursive: true });
    const file = await open(path, 'a+', 0o600);
    const incoming = new IncomingFile(path, file);
    const buffer = Buffer.alloc(READ_BYTES);
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, incoming.#bytes);
      if (bytesRead === 0) return incoming;
      incoming.#hash.update(buffer.subarray(0, bytesRead));
      incoming.#bytes += bytesRead;
    }
  }

  /** Received so far. */
  get bytes(): number {
    return this.#bytes;
  }

  async append(chunk: Uint8Array): Promise<void> {
    await this.file.appendFile(chunk);
    this.#hash.update(chunk);
    this.#bytes += chunk.length;
  }

  /** Forgets what was received: the sender begins at the beginning. */
  async restart(): Promise<void> {
    await this.file.truncate(0);
    this.#hash = createHash('sha256');
    this.#bytes = 0;
  }

  /**
   * Verifies the content and moves the file to its place. Not to be used afterwards.
   * @throws ArtifactContentError where the content is not what the name says; the part is emptied.
   */
  async finish(sha256: string, place: string): Promise<void> {
    const got = this.#hash.copy().digest('hex');
    if (got !== sha256) {
      await this.restart();
      throw new ArtifactContentError(sha256, got);
    }
    await this.file.sync();
    await mkdir(dirname(place), { recursive: true });
    await rename(this.path, place);
  }

  /** Leaves the part where it is. */
  async close(): Promise<void> {
    await this.file.close();
  }

  async discard(): Promise<void> {
    await this.file.close();
    await rm(this.path, { force: true });
  }
}

/** Removes the parts of transfers that were given up. */
export async function sweepIncoming(folder: string, now = Date.now()): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name);
    const touched = await stat(path).then(
      (about) => about.mtimeMs,
      () => now, // Another process has just finished it.
    );
    if (now - touched > ABANDONED_AFTER_MS) await rm(path, { force: true });
  }
}
