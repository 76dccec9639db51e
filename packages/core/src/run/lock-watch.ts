import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** A holder touches its lock so often ... */
export const BEAT_MS = 3_000;
/** ... and one that cannot be seen from here is gone when it has not for so long. */
export const PATIENCE_MS = 15_000;
/** Clocks of two machines that keep time at all are not so far apart. */
const HOPELESS_MS = 24 * 3600 * 1000;

interface Sight {
  readonly touchedAt: number;
  /** When that was first seen, by a clock that does not jump. */
  readonly seenAt: number;
}

export interface LockTimes {
  readonly patienceMs?: number;
  readonly beatMs?: number;
}

/**
 * Tells of locks whose holders cannot be seen from here - other machines, other containers - whether they are being
 * touched. The file's time is another machine's, and ours may jump: so it counts whether it changes, and our clock is
 * asked only on first sight, for a guess that spares the wait where it is plausible.
 */
export class LockWatch {
  readonly #seen = new Map<string, Sight>();
  readonly #looks = new Map<string, Promise<boolean>>();
  readonly #patienceMs: number;
  readonly #beatMs: number;

  constructor({ patienceMs = PATIENCE_MS, beatMs = BEAT_MS }: LockTimes = {}) {
    this.#patienceMs = patienceMs;
    this.#beatMs = beatMs;
  }

  /** Whether the holder lives, as far as one can say at once; on first sight of a time that is not now, within two beats. */
  async isTouched(path: string): Promise<boolean> {
    const touchedAt = await timeOf(path);
    const before = this.#seen.get(path);
    if (touchedAt === 0) {
      this.#seen.delete(path);
      return false;
    }
    if (before?.touchedAt === touchedAt) {
      if (this.#looks.has(path)) return this.#looks.get(path) as Promise<boolean>;
      return performance.now() - before.seenAt < this.#patienceMs;
    }
    this.#seen.set(path, { touchedAt, seenAt: performance.now() });
    const age = Date.now() - touchedAt;
    if (before || Math.abs(age) < this.#patienceMs) return true;
    if (age > HOPELESS_MS) return this.#isGone(path, touchedAt);
    return this.#lookTwice(path, touchedAt);
  }

  #lookTwice(path: string, touchedAt: number): Promise<boolean> {
    const look = changesWithin(path, touchedAt, 2 * this.#beatMs, this.#beatMs / 10).then((changes) =>
      changes ? true : this.#isGone(path, touchedAt),
    );
    this.#looks.set(path, look);
    return look.finally(() => this.#looks.delete(path));
  }

  #isGone(path: string, touchedAt: number): false {
    this.#seen.set(path, { touchedAt, seenAt: Number.NEGATIVE_INFINITY });
    return false;
  }
}

/** Whether somebody touches the file within `patienceMs`. */
export async function changesWithin(
  path: string,
  touchedAt: number,
  patienceMs: number,
  lookEveryMs = BEAT_MS / 10,
): Promise<boolean> {
  const deadline = performance.now() + patienceMs;
  while (performance.now() < deadline) {
    await sleep(lookEveryMs);
    if ((await timeOf(path)) !== touchedAt) return true;
  }
  return false;
}

/** Milliseconds since 1970; 0 where it is gone. Opened, as a network file system tells old times of what is not. */
export async function timeOf(path: string): Promise<number> {
  const file = await open(path, 'r').catch(() => undefined);
  const { mtimeMs } = (await file?.stat()) ?? { mtimeMs: 0 };
  await file?.close();
  return mtimeMs;
}
