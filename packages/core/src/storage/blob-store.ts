import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { access, link, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { InputError, NesgdError } from '../errors.js';

/**
 * Files by the SHA-256 of their content, under `<folder>/<sha256>`. Writing is atomic (a temporary name, flushed, then
 * renamed), so a blob that is present is whole; reading checks the content against its name all the same, because
 * disks and people change files.
 */
export class BlobStore {
  constructor(readonly folder: string) {}

  path(sha256: string): string {
    // The name goes into a path: nothing but a hash may pass.
    if (!/^[0-9a-f]{64}$/.test(sha256)) throw new InputError('BLOB_NAME', `not a SHA-256: ${JSON.stringify(sha256)}`);
    return join(this.folder, sha256);
  }

  async has(sha256: string): Promise<boolean> {
    return access(this.path(sha256)).then(
      () => true,
      () => false,
    );
  }

  /** @returns the content's SHA-256. */
  async put(content: Uint8Array): Promise<string> {
    const sha256 = createHash('sha256').update(content).digest('hex');
    if (!(await this.has(sha256))) await writeFileAtomically(this.path(sha256), content);
    return sha256;
  }

  /** @throws NesgdError `BLOB_MISSING` where there is none, `BLOB_CORRUPT` where the content is not what its name says. */
  async get(sha256: string): Promise<Buffer> {
    const path = this.path(sha256);
    const content = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code !== 'ENOENT') throw cause;
      throw new NesgdError(
        'BLOB_MISSING',
        `there is no file ${path}: it was deleted, or belongs to another cache folder`,
      );
    });
    const got = createHash('sha256').update(content).digest('hex');
    if (got !== sha256) {
      throw new NesgdError(
        'BLOB_CORRUPT',
        `${path} has changed: its SHA-256 is ${got}. Delete it; it will be made again`,
      );
    }
    return content;
  }

  async delete(sha256: string): Promise<void> {
    await rm(this.path(sha256), { force: true });
  }

  /** Deletes a blob unless another store shares the file (`copyTo`): a run beside this one may have the same weights. */
  async deleteUnlessShared(sha256: string): Promise<void> {
    const links = await stat(this.path(sha256)).then(
      ({ nlink }) => nlink,
      () => 0,
    );
    if (links === 1) await this.delete(sha256);
  }

  /** Makes the blob appear under a name of its own too, as a hard link where the file system allows it. */
  async linkAs(sha256: string, path: string): Promise<void> {
    await rm(path, { force: true });
    await link(this.path(sha256), path).catch(async () => writeFileAtomically(path, await this.get(sha256)));
  }

  /** Gives this store's blob to another store, as a hard link where the file system allows it. */
  async copyTo(other: BlobStore, sha256: string): Promise<void> {
    if (await other.has(sha256)) return;
    await mkdir(other.folder, { recursive: true });
    await link(this.path(sha256), other.path(sha256)).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return;
      await other.put(await this.get(sha256));
    });
  }
}

/** All of `content` or nothing stands under `path`, also after a crash or a power cut. */
export async function writeFileAtomically(path: string, content: Uint8Array | string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  const file = await open(temporary, 'wx');
  try {
    await file.writeFile(content);
    await file.sync();
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  } finally {
    await file.close();
  }
  await rename(temporary, path);
}

/** SHA-256 of a file, streamed. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}
