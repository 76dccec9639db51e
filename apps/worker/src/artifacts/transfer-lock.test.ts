import { mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { STALE_AFTER_MS, TransferLock } from './transfer-lock.js';

describe('TransferLock', () => {
  let folder: string;
  const path = () => join(folder, 'x.lock');
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nesgd-lock-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function age(ms: number): Promise<void> {
    const then = (Date.now() - ms) / 1000;
    await utimes(path(), then, then);
  }

  it('one of many gets it, and the next once it is released', async () => {
    const taken = (await Promise.all(Array.from({ length: 10 }, () => TransferLock.tryTake(path())))).filter(Boolean);
    expect(taken.length).toBe(1);
    await taken[0]?.release();
    const next = await TransferLock.tryTake(path());
    expect(next).toBeDefined();
    await next?.release();
    expect(await readdir(folder)).toEqual([]);
  });

  it('one of many takes over from a holder that has gone silent', async () => {
    const dead = await TransferLock.tryTake(path());
    await age(STALE_AFTER_MS + 1_000);
    const taken = (await Promise.all(Array.from({ length: 10 }, () => TransferLock.tryTake(path())))).filter(Boolean);
    expect(taken.length).toBe(1);
    await dead?.release(); // Back from the dead: the lock is another's now, and stays.
    expect(await TransferLock.tryTake(path())).toBeUndefined();
    await taken[0]?.release();
  });

  it('a holder that works is not silent', async () => {
    const lock = await TransferLock.tryTake(path(), 10_000);
    await age(9_000);
    expect(await TransferLock.tryTake(path(), 10_000)).toBeUndefined();
    await lock?.release();
  });
});
