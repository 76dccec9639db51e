import { expect, it } from 'vitest';
import { inTurn } from './in-turn.js';

it('inTurn: one at a time, each once a round, another first in each round', async () => {
  const log: string[] = [];
  let running = 0;
  const contestant = (name: string) => async () => {
    expect(running++, 'others at work').toBe(0);
    await new Promise(setImmediate);
    running--;
    return log.push(name);
  };
  const measured = await inTurn(['a', 'b', 'c'].map(contestant), 3, 0);
  expect(log.join('')).toBe('abcbcacab');
  expect(measured).toEqual([
    [1, 6, 8],
    [2, 4, 9],
    [3, 5, 7],
  ]);
});
