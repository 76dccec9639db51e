import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
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
    const age = await ageMs(path);
    if (age !== undefined && age <= staleAfterMs) return undefined;
    if (age !== undefined) await bury(path, staleAfterMs);
    const token = randomBytes(8).toString('hex');
    const file = await open(path, 'wx').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return undefined;
      throw error;
    });
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

/** Removes a stale lock, and only that: another worker may have taken over in the meantime. */
async function bury(path: string, staleAfterMs: number): Promise<void> {
  const grave = `${path}.${randomBytes(4).toString('hex')}`;
  await rename(path, grave).catch(() => {});
  const age = await ageMs(grave);
  if (age !== undefined && age <= staleAfterMs) await link(grave, path).catch(() => {});
  await rm(grave, { force: true });
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
