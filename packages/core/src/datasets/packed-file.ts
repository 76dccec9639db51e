import { createHash, randomBytes } from 'node:crypto';
import { closeSync, fstatSync, openSync } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError, isDiskFull, NesgdError } from '../errors.js';
import {
  decodePackedHeader,
  PACKED_VERSION,
  type PackedHeader,
  type PackedLayout,
  packedLayout,
  type Range,
} from './packed-header.js';
import type { PackedSource } from './packed-images.js';
import { isVerified, rememberVerified } from './verified.js';

/** Read and hashed at a time. */
const CHUNK_BYTES = 8 * 2 ** 20;

/** Far above what 65,536 class names need; a larger number is damage. */
const LONGEST_HEADER = 64 * 2 ** 20;

/** A file being written is touched all the time; one this old was left by a process that was killed. */
const ABANDONED_AFTER_MS = 60 * 60 * 1000;

/** Where the packed data set with this SHA-256 is. @throws InputError `DATASET_HASH` for what is no hash: it becomes a path. */
export function packedPath(datasetsFolder: string, hash: string): string {
  if (!/^[0-9a-f]{64}$/.test(hash)) throw new InputError('DATASET_HASH', `not a SHA-256: ${JSON.stringify(hash)}`);
  return join(datasetsFolder, hash, 'packed.safetensors');
}

/**
 * Writes a packed data set under the hash of its content. It gets its place by a rename once it is whole and flushed, so
 * two processes may pack the same set at once, and one that fails or is killed leaves nothing that could be taken for
 * a data set.
 * @param chunks the file's bytes, in order.
 * @returns SHA-256 of the file.
 */
export async function storePacked(
  datasetsFolder: string,
  chunks: Iterable<Uint8Array>,
  signal?: AbortSignal,
): Promise<string> {
  await mkdir(datasetsFolder, { recursive: true });
  await removeAbandoned(datasetsFolder);
  const temporary = join(datasetsFolder, `${randomBytes(8).toString('hex')}.tmp`);
  try {
    const hash = await writeHashed(temporary, chunks, signal);
    const path = packedPath(datasetsFolder, hash);
    await mkdir(join(datasetsFolder, hash), { recursive: true });
    await rename(temporary, path);
    await rememberVerified(path, await stat(path));
    return hash;
  } catch (error) {
    await rm(temporary, { force: true });
    if (!isDiskFull(error)) throw error;
    throw new NesgdError(
      'DISK_FULL',
      `there is no space left in ${datasetsFolder} to pack the data set (${(error as Error).message}): free some, or name another cache folder by NESGD_CACHE`,
      false,
      { cause: error },
    );
  }
}

async function writeHashed(path: string, chunks: Iterable<Uint8Array>, signal?: AbortSignal): Promise<string> {
  const sha256 = createHash('sha256');
  const file = await open(path, 'wx');
  try {
    for (const chunk of inBlocks(chunks)) {
      signal?.throwIfAborted();
      sha256.update(chunk);
      await file.appendFile(chunk);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return sha256.digest('hex');
}

/** Many small images make few large writes. */
function* inBlocks(chunks: Iterable<Uint8Array>): Generator<Uint8Array> {
  let waiting: Uint8Array[] = [];
  let bytes = 0;
  for (const chunk of chunks) {
    waiting.push(chunk);
    bytes += chunk.length;
    if (bytes < CHUNK_BYTES) continue;
    yield Buffer.concat(waiting, bytes);
    waiting = [];
    bytes = 0;
  }
  if (bytes > 0) yield Buffer.concat(waiting, bytes);
}

async function removeAbandoned(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!/^[0-9a-f]{16}\.tmp$/.test(name)) continue;
    const path = join(folder, name);
    // It may vanish meanwhile: another process looks after the same folder.
    const touched = await stat(path).then(
      (about) => about.mtimeMs,
      () => Number.POSITIVE_INFINITY,
    );
    if (Date.now() - touched > ABANDONED_AFTER_MS) await rm(path, { force: true });
  }
}

/**
 * Reads and checks the header and the file's length, not the content.
 * @throws NesgdError `DATASET_MISSING`, or `DATASET_CORRUPT` naming the file to delete; retryable, because another
 * worker's cache may be sound.
 */
export async function readPackedHeader(datasetsFolder: string, hash: string): Promise<PackedHeader> {
  return withPacked(datasetsFolder, hash, async (_file, header) => header);
}

export interface OpenPacked {
  readonly header: PackedHeader;
  readonly layout: PackedLayout;
  readonly source: PackedSource;
  /** As they stand in the file: one or two bytes each. */
  readonly trainLabels: Uint8Array<ArrayBuffer>;
  readonly testLabels: Uint8Array<ArrayBuffer>;
}

/**
 * Opens a packed data set for reading by position, after its SHA-256 was checked: now, or by whoever opened or packed it
 * before and left it unchanged. The caller closes `source.fd`. Errors as `readPackedHeader`.
 */
export async function openPackedFile(datasetsFolder: string, hash: string): Promise<OpenPacked> {
  return withPacked(datasetsFolder, hash, async (file, header, layout) => {
    const path = packedPath(datasetsFolder, hash);
    const about = await file.stat();
    if (!(await isVerified(path, about))) {
      await checkContent(file, hash);
      await rememberVerified(path, about);
    }
    const trainLabels = await readRange(file, layout.trainLabels);
    const testLabels = await readRange(file, layout.testLabels);
    // Not the handle's own: that would be closed when it is collected as garbage.
    const fd = openSync(path, 'r');
    const { ino, size, mtimeMs } = fstatSync(fd);
    if (ino !== about.ino || size !== about.size || mtimeMs !== about.mtimeMs) {
      closeSync(fd);
      throw new Error('it changed while it was opened');
    }
    return { header, layout, source: { path, fd, size, mtimeMs }, trainLabels, testLabels };
  });
}

/** Reads all of it, whoever did before. Errors as `readPackedHeader`. */
export async function verifyPackedFile(datasetsFolder: string, hash: string): Promise<PackedHeader> {
  return withPacked(datasetsFolder, hash, async (file, header) => {
    await checkContent(file, hash);
    return header;
  });
}

async function readRange(file: FileHandle, { from, to }: Range): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(to - from);
  const { bytesRead } = await file.read(bytes, 0, bytes.length, from);
  if (bytesRead !== bytes.length) throw new Error('it ends early');
  return bytes;
}

async function checkContent(file: FileHandle, hash: string): Promise<void> {
  const sha256 = createHash('sha256');
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  for (let at = 0; ; ) {
    const { bytesRead } = await file.read(chunk, 0, chunk.length, at);
    if (bytesRead === 0) break;
    sha256.update(chunk.subarray(0, bytesRead));
    at += bytesRead;
  }
  const got = sha256.digest('hex');
  if (got !== hash) throw new Error(`its SHA-256 is ${got}`);
}

async function withPacked<T>(
  datasetsFolder: string,
  hash: string,
  use: (file: FileHandle, header: PackedHeader, layout: PackedLayout) => Promise<T>,
): Promise<T> {
  const path = packedPath(datasetsFolder, hash);
  const file = await open(path).catch((cause: NodeJS.ErrnoException) => {
    throw new NesgdError(
      'DATASET_MISSING',
      `the packed data set ${path} cannot be read: ${cause.message}. Run the experiment again to pack it`,
      true,
      { cause },
    );
  });
  try {
    const { header, headerLength } = await readHeader(file);
    const layout = packedLayout(header, headerLength);
    const { size } = await file.stat();
    if (size !== layout.fileLength) throw new Error(`it has ${size} bytes, but its header wants ${layout.fileLength}`);
    return await use(file, header, layout);
  } catch (cause) {
    throw new NesgdError(
      'DATASET_CORRUPT',
      `the packed data set ${path} is damaged: ${(cause as Error).message}. Delete it; it will be packed again`,
      true,
      { cause },
    );
  } finally {
    await file.close();
  }
}

async function readHeader(file: FileHandle): Promise<{ header: PackedHeader; headerLength: number }> {
  const start = Buffer.alloc(8);
  const { bytesRead } = await file.read(start, 0, 8, 0);
  const headerLength = bytesRead === 8 ? Number(start.readBigUInt64LE()) : 0;
  if (headerLength === 0 || headerLength > LONGEST_HEADER) throw new Error('it has no header');
  const json = Buffer.alloc(headerLength);
  await file.read(json, 0, headerLength, 8);
  const header = decodePackedHeader(json);
  if (!header) throw new Error(`its header is not that of a packed data set, version ${PACKED_VERSION}`);
  return { header, headerLength };
}
