import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDiskFull, NesgdError } from '../../errors.js';
import type { PublishedFile } from '../known-datasets.js';
import { checkOriginal } from './check-original.js';

export interface DownloadOptions {
  /** Bytes on disk so far. */
  readonly onProgress?: ((received: number) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Before the second try, doubled with each further one that brought nothing. */
  readonly retryAfterMs?: number;
  /** A server that says nothing for so long is asked again. */
  readonly idleTimeoutMs?: number;
}

/** Tries in a row that bring nothing. */
const PATIENCE = 5;

/** How a try ended that another one may better. */
class Interrupted extends Error {}

/**
 * Brings a published file to `place`. What has come stands in `<place>.part` and is gone on with by range requests, now or by
 * the next call; the file gets its name once its length and SHA-256 are right.
 * @throws NesgdError `DATASET_FETCH` where the server cannot be reached or has no such file, `DATASET_CONTENT` where it
 * gives another one (nothing of that is kept); the signal's reason once it is aborted.
 */
export async function download(
  url: string,
  file: PublishedFile,
  place: string,
  options: DownloadOptions = {},
): Promise<void> {
  const part = `${place}.part`;
  await mkdir(dirname(place), { recursive: true });
  await receive(url, file, part, options);
  const fault = await checkOriginal(part, file);
  if (fault !== undefined) {
    await rm(part, { force: true });
    throw new NesgdError(
      'DATASET_CONTENT',
      `${url}: ${fault}: it was damaged on its way, or is no longer the published file. Nothing was kept; fetch it again`,
      true,
    );
  }
  await rename(part, place);
}

async function receive(
  url: string,
  file: PublishedFile,
  part: string,
  { onProgress, signal, retryAfterMs = 500, idleTimeoutMs = 60_000 }: DownloadOptions,
): Promise<void> {
  for (let failures = 0; ; ) {
    const before = await sizeOf(part);
    if (before === file.bytes) return;
    try {
      return await tryOnce(url, file, part, { onProgress, signal, idleTimeoutMs });
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof Interrupted)) throw error;
      failures = (await sizeOf(part)) > before ? 1 : failures + 1;
      if (failures >= PATIENCE)
        throw new NesgdError('DATASET_FETCH', `${url}: ${error.message}`, true, { cause: error });
    }
    await sleep(retryAfterMs * 2 ** (failures - 1), undefined, { ...(signal && { signal }) });
  }
}

async function tryOnce(
  url: string,
  file: PublishedFile,
  part: string,
  {
    onProgress,
    signal,
    idleTimeoutMs,
  }: Pick<DownloadOptions, 'onProgress' | 'signal'> & { readonly idleTimeoutMs: number },
): Promise<void> {
  const idle = new AbortController();
  const timer = setTimeout(() => idle.abort(new Interrupted('the server says nothing')), idleTimeoutMs);
  const output = await open(part, 'a').catch((cause: Error) => {
    throw cannotWrite(part, cause);
  });
  try {
    const have = await lengthFor(output, file);
    const response = await fetch(url, {
      // Compressed on the way, ranges would be of something else.
      headers: { 'accept-encoding': 'identity', ...(have > 0 && { range: `bytes=${have}-` }) },
      signal: signal ? AbortSignal.any([signal, idle.signal]) : idle.signal,
    }).catch((cause: Error) => {
      throw new Interrupted(`cannot be reached: ${reasonOf(cause)}`, { cause });
    });
    let received = await startAt(response, have, output, url, file);
    onProgress?.(received);
    try {
      for await (const chunk of response.body ?? []) {
        timer.refresh();
        received += chunk.length;
        if (received > file.bytes) throw wrongLength(url, file, `more than ${file.bytes}`);
        await output.appendFile(chunk).catch((cause: Error) => {
          throw cannotWrite(part, cause);
        });
        onProgress?.(received);
      }
    } catch (cause) {
      if (cause instanceof NesgdError) throw cause;
      throw new Interrupted(
        `the connection broke after ${received} of ${file.bytes} bytes: ${reasonOf(cause as Error)}`,
      );
    }
    if (received < file.bytes) throw new Interrupted(`it ended after ${received} of ${file.bytes} bytes`);
    await output.sync();
  } finally {
    clearTimeout(timer);
    await output.close();
  }
}

/** @returns how much of a part may be gone on with. */
async function lengthFor(output: FileHandle, file: PublishedFile): Promise<number> {
  const { size } = await output.stat();
  if (size <= file.bytes) return size;
  await output.truncate(0);
  return 0;
}

/** @returns where the body of the answer begins; the part ends there. */
async function startAt(
  response: Response,
  have: number,
  output: FileHandle,
  url: string,
  file: PublishedFile,
): Promise<number> {
  const { status } = response;
  if (status === 206) {
    const [, from] = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '') ?? [];
    if (Number(from) === have) return have;
  }
  if (status !== 200) {
    await response.body?.cancel();
    const whatever = status === 206 || status === 416;
    // Not the range that was asked for: the next try asks for all of it.
    if (whatever) await output.truncate(0);
    if (whatever || status === 429 || status >= 500) throw new Interrupted(`the server answers ${status}`);
    throw new NesgdError('DATASET_FETCH', `${url}: the server answers ${status} ${response.statusText}`.trimEnd());
  }
  const length = response.headers.get('content-length');
  if (length !== null && Number(length) !== file.bytes) {
    await response.body?.cancel();
    throw wrongLength(url, file, length);
  }
  // A server without ranges gives all of it.
  if (have > 0) await output.truncate(0);
  return 0;
}

function cannotWrite(part: string, cause: Error): NesgdError {
  const why = isDiskFull(cause) ? 'there is no space left for it' : cause.message;
  return new NesgdError(
    'DATASET_WRITE',
    `${part} cannot be written: ${why}. What has come is kept: fetched again, it goes on`,
    false,
    { cause },
  );
}

function wrongLength(url: string, file: PublishedFile, got: string): NesgdError {
  return new NesgdError(
    'DATASET_CONTENT',
    `${url}: has ${got} bytes, but ${file.name} has ${file.bytes}: this is another file`,
  );
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    (about) => about.size,
    () => 0,
  );
}

/** fetch says "fetch failed", and why in its cause. */
function reasonOf(error: Error): string {
  return error.cause instanceof Error ? error.cause.message : error.message;
}
