import { describe, expect, it } from 'vitest';
import { halvingCosts, rungsOf, successiveHalving } from './successive-halving.js';

/** A learner whose loss falls towards an end of its own: known at every length of training. */
interface Learner {
  readonly name: string;
  readonly end: number;
  readonly speed: number;
}
const accuracyAfter = ({ end, speed }: Learner, epochs: number): number => end * (1 - Math.exp(-speed * epochs));

/** What was asked, rung by rung, and the epochs that it took. */
async function compete(learners: readonly Learner[], rungs: readonly number[], eta: number, broken?: string) {
  const asked: { rung: number; names: string }[] = [];
  const reached = new Map<string, number>();
  let epochs = 0;
  await successiveHalving(learners, { rungs, eta }, async (those, rung) => {
    asked.push({ rung, names: those.map(({ name }) => name).join('') });
    for (const { name } of those) {
      epochs += rung - (reached.get(name) ?? 0);
      reached.set(name, rung);
    }
    return those.map((learner) => (learner.name === broken ? undefined : accuracyAfter(learner, rung)));
  });
  return { asked, epochs };
}

describe('successiveHalving', () => {
  const alike = [0.5, 0.9, 0.3, 0.7, 0.1].map((end, i) => ({ name: 'abcde'[i]!, end, speed: 0.3 }));

  it('finds the best of learners that are as fast as one another, for fewer epochs than all of them take', async () => {
    const { asked, epochs } = await compete(alike, rungsOf(2, 2, 8), 2);
    expect(asked).toEqual([
      { rung: 2, names: 'abcde' },
      { rung: 4, names: 'bd' },
      { rung: 8, names: 'b' },
    ]);
    expect(epochs).toBe(5 * 2 + 2 * 2 + 4);
    const costs = halvingCosts(5, { rungs: rungsOf(2, 2, 8), eta: 2 });
    expect(costs.reduce((sum, { count, length }) => sum + count * length, 0)).toBe(epochs);
  });

  it('gives up who is slow at first and best at last: what it is cheap by', async () => {
    const slow = { name: 's', end: 1, speed: 0.05 };
    const { asked } = await compete([...alike, slow], [1, 8], 2);
    expect(asked).toEqual([
      { rung: 1, names: 'abcdes' },
      { rung: 8, names: 'bda' },
    ]);
  });

  it('of equals the first goes on; one in eta does, and at least one', async () => {
    const equal = 'abcd'.split('').map((name) => ({ name, end: 0.5, speed: 1 }));
    expect((await compete(equal, [1, 9], 3)).asked.at(-1)).toEqual({ rung: 9, names: 'a' });
    expect((await compete(equal, [1, 9], 2)).asked.at(-1)).toEqual({ rung: 9, names: 'ab' });
  });

  it('who cannot go on does not, whatever it was measured at; one alone goes to the end at once; nobody asks nothing', async () => {
    expect((await compete(alike, [1, 9], 3, 'b')).asked.at(-1)).toEqual({ rung: 9, names: 'd' });
    expect((await compete(alike.slice(0, 1), [1, 3, 9], 3)).asked).toEqual([{ rung: 9, names: 'a' }]);
    expect((await compete([], [1, 9], 3)).asked).toEqual([]);
    expect((await compete(alike.slice(0, 2), [1, 3, 9], 3, 'a')).asked).toEqual([
      { rung: 1, names: 'ab' },
      { rung: 9, names: 'b' },
    ]);
  });

  it('rungs grow by eta and end with the whole', () => {
    expect(rungsOf(1, 3, 10)).toEqual([1, 3, 9, 10]);
    expect(rungsOf(2, 2, 8)).toEqual([2, 4, 8]);
    expect(rungsOf(3, 3, 4)).toEqual([3, 4]);
  });
});
