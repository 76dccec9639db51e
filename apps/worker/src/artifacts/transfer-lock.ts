import { randomBytes } from 'node:crypto';
import { type FileHandle, mkdir, open, readFile, rm, stat, utimes } from 'node:fs/promises';
import { dirname } from 'node:path';

/** A lock is touched this often, and stale when it has not been for that long. */
const TOUCH_MS = 2_000;
export const STALE_AFTER_MS = 15_000;

/**
 * Keeps the workers of one cache folder from fetching the same thing at the same time. The holder touches the lock's
 * file; process ids would say nothing, as workers in containers share the folder. Should two hold it after all, the
 * worst is a transfer done twice: what counts is verified and gets its place by a rename.
 */
export class TransferLock {
  readonly #touch: NodeJS.Timeout;

  private constructor(
    private readonly path: string,
    private readonly token: string,
  ) {
    this.#touch = setInterval(() => touch(path), TOUCH_MS).unref();
  }

  /** @returns undefined where another holds it. */
  static async tryTake(path: string, staleAfterMs = STALE_AFTER_MS): Promise<TransferLock | undefined> {
    await mkdir(dirname(path), { recursive: true });
    if (await isStale(path, staleAfterMs)) await bury(path, staleAfterMs);
    const token = randomBytes(8).toString('hex');
    const file = await createNew(path);
    if (!file) return undefined;
    await file.writeFile(token);
    await file.close();
    return new TransferLock(path, token);
  }

  async release(): Promise<void> {
    clearInterval(this.#touch);
    const holder = await readFile(this.path, 'utf8').catch(() => '');
    if (holder === this.token) await rm(this.path, { force: true });
  }
}

/** Removes a stale lock, and only that: one at a time, as another worker may have taken over in the meantime. */
async function bury(path: string, staleAfterMs: number): Promise<void> {
  const turn = `${path}.burying`;
  const file = await createNew(turn);
  if (!file) {
    // Of a worker that died right here; else its turn is over in a moment.
    if (await isStale(turn, staleAfterMs)) await rm(turn, { force: true });
    return;
  }
  try {
    if (await isStale(path, staleAfterMs)) await rm(path, { force: true });
  } finally {
    await file.close();
    await rm(turn, { force: true });
  }
}

/** @returns undefined where it exists. */
function createNew(path: string): Promise<FileHandle | undefined> {
  return open(path, 'wx').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') return undefined;
    throw error;
  });
}

async function isStale(path: string, afterMs: number): Promise<boolean> {
  const age = await ageMs(path);
  return age !== undefined && age > afterMs;
}

async function ageMs(path: string): Promise<number | undefined> {
  return stat(path).then(
    (about) => Date.now() - about.mtimeMs,
    () => undefined,
  );
}

function touch(path: string): void {
  const now = new Date();
  utimes(path, now, now).catch(() => {});
}
