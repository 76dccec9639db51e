import { createHash, randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError, NesgdError } from '../errors.js';
import {
  decodePackedHeader,
  PACKED_VERSION,
  type PackedHeader,
  type PackedLayout,
  packedLayout,
} from './packed-header.js';

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
    return hash;
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
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

/** Reads the whole file and checks its SHA-256. Errors as `readPackedHeader`. */
export async function readPackedFile(
  datasetsFolder: string,
  hash: string,
): Promise<{ header: PackedHeader; layout: PackedLayout; bytes: Uint8Array<ArrayBuffer> }> {
  return withPacked(datasetsFolder, hash, async (file, header, layout) => {
    const bytes = new Uint8Array(layout.fileLength);
    const sha256 = createHash('sha256');
    for (let at = 0; at < bytes.length; ) {
      const chunk = bytes.subarray(at, at + CHUNK_BYTES);
      const { bytesRead } = await file.read(chunk, 0, chunk.length, at);
      if (bytesRead === 0) throw new Error('it ends early');
      sha256.update(chunk.subarray(0, bytesRead));
      at += bytesRead;
    }
    const got = sha256.digest('hex');
    if (got !== hash) throw new Error(`its SHA-256 is ${got}`);
    return { header, layout, bytes };
  });
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
