import { setTimeout as pause } from 'node:timers/promises';

/** The others' idle threads spin for a moment before they sleep. */
const PAUSE_MS = 200;

/**
 * Measures contestants one after the other, each once a round; who begins changes from round to round.
 * @returns for each contestant what its calls gave, round by round.
 */
export async function inTurn(
  contestants: readonly (() => Promise<number>)[],
  rounds: number,
  pauseMs = PAUSE_MS,
): Promise<number[][]> {
  const measured: number[][] = contestants.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (let place = 0; place < contestants.length; place++) {
      const who = (round + place) % contestants.length;
      await pause(pauseMs);
      measured[who]!.push(await contestants[who]!());
    }
  }
  return measured;
}
