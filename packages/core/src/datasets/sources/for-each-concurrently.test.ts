import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { forEachConcurrently } from './for-each-concurrently.js';

describe('forEachConcurrently', () => {
  test('works on every item once, never on more than the limit at a time', async () => {
    async function* items() {
      yield* Array.from({ length: 20 }, (_, i) => i);
    }
    const seen: number[] = [];
    let running = 0;
    let most = 0;
    await forEachConcurrently(items(), 3, async (item) => {
      running++;
      most = Math.max(most, running);
      await setImmediate();
      seen.push(item);
      running--;
    });
    expect(seen.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(most).toBe(3);
  });

  test('after an error nothing is begun, what runs is waited for, and the items are closed', async () => {
    let closed = false;
    async function* items() {
      try {
        for (let i = 0; ; i++) yield i;
      } finally {
        closed = true;
      }
    }
    const begun: number[] = [];
    const ended: number[] = [];
    const work = async (item: number) => {
      begun.push(item);
      if (item === 4) throw new Error('item 4');
      await setImmediate();
      ended.push(item);
    };
    await expect(forEachConcurrently(items(), 2, work)).rejects.toThrow('item 4');
    expect(closed).toBe(true);
    expect(begun.length).toBeLessThanOrEqual(6);
    expect(ended.length).toBe(begun.length - 1);
  });

  test('an error of the items themselves is thrown', async () => {
    async function* items() {
      yield 1;
      throw new Error('torn');
    }
    await expect(forEachConcurrently(items(), 4, async () => {})).rejects.toThrow('torn');
  });
});
