import { describe, expect, it } from 'vitest';
import { sgd } from './sgd.js';
import { sgdRestarts } from './sgd-restarts.js';
import { accuracyOf, collect, TARGET, ToyProblem } from './toy-problem.fixture.js';

const hyperparameters = { learningRate: 0.1, momentum: 0, weightDecay: 0 };
const params = { repeats: 5, epochs: 2, hyperparameters, atOnce: 2 };

describe('sgd', () => {
  it('trains R times from random weights, each with draws of its own, and gives the most accurate', async () => {
    const starts: Record<string, number> = { 'sgd-1': 1, 'sgd-2': 2.2, 'sgd-3': 2.9, 'sgd-4': 2, 'sgd-5': 0 };
    const toy = new ToyProblem((id) => starts[id]!);
    const steps = await collect(sgd(params, toy.perform));
    expect(toy.rounds.map((requests) => requests.map(({ id }) => id))).toEqual([
      ['sgd-1', 'sgd-2'],
      ['sgd-3', 'sgd-4'],
      ['sgd-5'],
    ]);
    expect(toy.rounds.flat().every((r) => r.kind === 'train' && r.weights === null && r.schedule === 'whole')).toBe(
      true,
    );
    // Two steps at 0.1 shrink the distance to the target by 0.8 twice.
    expect(steps.at(-1)!.best!.id).toBe('sgd-3');
    expect(steps.at(-1)!.best!.accuracy).toBeCloseTo(accuracyOf(3 - 0.1 * 0.64), 12);
  });

  it('sameStart: all start from the weights of the first, each under its own name', async () => {
    const starts: Record<string, number> = { 'sgd-1': 1, 'sgd-2': 2.9, 'sgd-3': 2.9, 'sgd-4': 2.9, 'sgd-5': 2.9 };
    const toy = new ToyProblem((id) => starts[id]!);
    const steps = await collect(sgd({ ...params, sameStart: true }, toy.perform));
    const trainings = steps.flatMap(({ population }) => population);
    expect(trainings.map(({ id }) => id)).toEqual(Object.keys(starts));
    for (const { weights } of trainings) expect(Number(weights)).toBeCloseTo(3 - 2 * 0.64, 12);
  });

  it('has weights stored only where they beat all earlier rounds', async () => {
    const toy = new ToyProblem();
    const steps = await collect(sgd(params, toy.perform));
    const thresholds = toy.rounds.map(
      (requests) => new Set(requests.flatMap((r) => ('keepWeightsAbove' in r ? [r.keepWeightsAbove] : []))),
    );
    expect(thresholds).toEqual([
      new Set([null]),
      new Set([steps[0]!.best!.accuracy]),
      new Set([steps[1]!.best!.accuracy]),
    ]);
  });

  it('ends where the budget does, in the middle of a round too', async () => {
    const steps = await collect(
      sgd({ ...params, repeats: Number.MAX_SAFE_INTEGER }, new ToyProblem(undefined, 3).perform),
    );
    expect(steps.map(({ population }) => population.length)).toEqual([2, 1]);
  });
});

describe('sgd-restarts', () => {
  it('begins every training at alpha', async () => {
    const toy = new ToyProblem();
    await collect(sgdRestarts({ ...params, alpha: '2.5' }, toy.perform));
    expect(toy.rounds.flat().map((r) => r.kind === 'train' && r.weights)).toEqual(Array(5).fill('2.5'));
    expect(new Set(toy.rounds.flat().map(({ id }) => id)).size).toBe(5);
  });

  it('comes to the known answer from alpha, and not where a restart is too short for it', async () => {
    const found = async (epochs: number) => {
      const steps = await collect(sgdRestarts({ ...params, epochs, alpha: '0.5' }, new ToyProblem().perform));
      return steps.at(-1)!.best!;
    };
    // Each epoch at 0.1 leaves 0.8 of the distance to the target.
    expect(Number((await found(1)).weights)).toBeCloseTo(TARGET - 2.5 * 0.8, 12);
    const best = await found(60);
    expect(Number(best.weights)).toBeCloseTo(TARGET, 4);
    expect(best.accuracy).toBeCloseTo(1, 8);
  });
});
