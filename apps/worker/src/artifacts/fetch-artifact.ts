import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ArtifactContentError, type NesgdError } from '@nesgd/core/errors';
import type { CacheFolder } from '@nesgd/core/storage';
import { type Artifact, artifactPath, IncomingFile, incomingFolder } from '@nesgd/core/transfer';
import { type CoordinatorClient, TransferError } from './coordinator-client.js';
import { retry } from './retry.js';
import { TransferLock } from './transfer-lock.js';

/** How patient transfers are; durations in milliseconds. */
export interface Patience {
  /** A transfer that has not moved on for this long is given up. */
  readonly patienceMs: number;
  readonly firstDelayMs: number;
  readonly longestDelayMs: number;
  /** How often one looks whether another worker of the machine has brought what is missing. */
  readonly pollMs: number;
}

export const DEFAULT_PATIENCE: Patience = {
  patienceMs: 5 * 60_000,
  firstDelayMs: 500,
  longestDelayMs: 15_000,
  pollMs: 200,
};

export interface FetchOptions extends Patience {
  readonly cache: CacheFolder;
  readonly coordinator: Pick<CoordinatorClient, 'get'>;
  readonly signal: AbortSignal;
  /** Called before so many bytes are written. */
  readonly makeRoom?: (bytes: number) => Promise<void>;
  readonly onFailure?: (error: NesgdError, delayMs: number) => void;
}

/** Content that is wrong again, transferred anew from its beginning, is wrong where it comes from. */
const TRIES_OF_CONTENT = 2;

/**
 * Brings an artifact into the cache folder, unless it is there: once for all workers of the folder, going on where an
 * earlier transfer broke, verified before it gets its name.
 * @returns whether it was fetched now, by this worker.
 * @throws TransferError, ArtifactContentError, the signal's reason.
 */
export async function fetchArtifact(artifact: Artifact, options: FetchOptions): Promise<boolean> {
  const { cache, signal, pollMs } = options;
  const place = artifactPath(cache, artifact);
  const part = join(incomingFolder(cache), `${artifact.kind}-${artifact.sha256}.part`);
  for (;;) {
    if (await exists(place)) return false;
    const lock = await TransferLock.tryTake(`${part}.lock`);
    if (!lock) {
      await delay(pollMs, undefined, { signal });
      continue;
    }
    try {
      if (await exists(place)) return false;
      await download(artifact, part, place, options);
      return true;
    } finally {
      await lock.release();
    }
  }
}

async function download(artifact: Artifact, part: string, place: string, options: FetchOptions): Promise<void> {
  const file = await IncomingFile.open(part);
  let wrong = 0;
  try {
    await retry(
      async () => {
        await receive(artifact, file, options);
        await file.finish(artifact.sha256, place).catch((error) => {
          if (!(error instanceof ArtifactContentError) || ++wrong < TRIES_OF_CONTENT) throw error;
          throw new TransferError(
            error.code,
            `${error.message}, ${wrong} times: the file is damaged where it comes from`,
          );
        });
      },
      { ...options, progress: () => file.bytes },
    );
  } finally {
    await file.close();
  }
}

/** Takes what is missing, as far as one connection brings it. */
async function receive(
  artifact: Artifact,
  file: IncomingFile,
  { coordinator, signal, makeRoom }: FetchOptions,
): Promise<void> {
  const { offset, total, chunks } = await coordinator.get(artifact, file.bytes, signal);
  if (offset !== file.bytes) await file.restart();
  await makeRoom?.(total - file.bytes);
  for await (const chunk of chunks) {
    if (file.bytes + chunk.length > total) {
      throw new TransferError('ARTIFACT_SERVICE', `${artifact.sha256}: more came than the ${total} bytes announced`);
    }
    await file.append(chunk);
  }
  if (file.bytes < total) {
    throw new TransferError(
      'COORDINATOR_UNREACHABLE',
      `${artifact.sha256}: the transfer broke at ${file.bytes} of ${total} bytes`,
      true,
    );
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
