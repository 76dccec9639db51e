import { mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LockWatch } from './lock-watch.js';
import { livingHolder } from './run-lock.js';

const HOUR_MS = 3600_000;
const TIMES = { beatMs: 600, patienceMs: 3_000 };

describe('a lock of another machine', () => {
  let folder: string;
  let lock: string;
  let beat: NodeJS.Timeout | undefined;
  let watch: LockWatch;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nesgd-lock-'));
    lock = join(folder, 'lock');
    watch = new LockWatch(TIMES);
    await writeFile(lock, JSON.stringify({ pid: 1, host: 'elsewhere', started: '1', namespace: 'another' }));
  });
  afterEach(async () => {
    clearInterval(beat);
    await rm(folder, { recursive: true });
  });
  /** The file's time as the holder's clock has it, which is ahead of ours by so much. */
  const touch = (aheadMs: number) => {
    const at = new Date(Date.now() + aheadMs);
    return utimes(lock, at, at);
  };
  async function live(aheadMs: () => number): Promise<void> {
    await touch(aheadMs());
    beat = setInterval(() => touch(aheadMs()).catch(() => {}), TIMES.beatMs / 3);
  }
  const isHeld = async () => (await livingHolder(lock, watch))?.host === 'elsewhere';

  it.each([0, -HOUR_MS, HOUR_MS, -12 * HOUR_MS])(
    'whose clock is %d ms ahead of ours is held while its holder lives, and no longer',
    async (ahead) => {
      await live(() => ahead);
      expect(await isHeld()).toBe(true);
      expect(await Promise.all([isHeld(), isHeld(), isHeld()])).toEqual([true, true, true]);
      clearInterval(beat);
      await expect.poll(isHeld, { timeout: 10_000 }).toBe(false);
    },
  );

  it('stays held while either clock jumps to and fro', async () => {
    let jump = 0;
    await live(() => jump);
    for (const ahead of [0, HOUR_MS, -HOUR_MS, 24 * HOUR_MS, 0]) {
      jump = ahead;
      expect(await isHeld()).toBe(true);
    }
  });

  it.each([-HOUR_MS, HOUR_MS, -48 * HOUR_MS])('that was left %d ms from now is not held', async (ahead) => {
    await touch(ahead);
    expect(await isHeld()).toBe(false);
    expect(await isHeld()).toBe(false);
  });

  it('that is taken over after it was left is held again', async () => {
    await touch(-HOUR_MS);
    expect(await isHeld()).toBe(false);
    await live(() => 0);
    await expect.poll(isHeld).toBe(true);
  });
});
