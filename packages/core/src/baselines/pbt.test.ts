import { describe, expect, it } from 'vitest';
import { type PbtParams, pbt } from './pbt.js';
import type { TrainRequest } from './perform.js';
import { collect, TARGET, ToyProblem } from './toy-problem.fixture.js';

const params: PbtParams = {
  seed: 1,
  steps: 10,
  populationSize: 5,
  epochs: 1,
  truncation: 0.2,
  perturbation: [0.8, 1.2],
  learningRate: { from: 0.001, to: 0.3 },
  weightDecay: { from: 1e-5, to: 1e-3 },
  momentum: 0.9,
};
const trainings = (toy: ToyProblem) => toy.rounds.map((round) => round as readonly TrainRequest[]);

describe('pbt', () => {
  it('comes to the known answer, nearer than the mean of what it started with', async () => {
    const steps = await collect(pbt(params, new ToyProblem().perform));
    expect(Math.abs(Number(steps.at(-1)!.best!.weights) - TARGET)).toBeLessThan(0.05);
  });

  it('exploits: the worst takes weights and hyperparameters of the best, perturbed; the others go on with theirs', async () => {
    const toy = new ToyProblem(() => 2);
    const [first] = await collect(pbt({ ...params, steps: 2 }, toy.perform));
    const [before, after] = trainings(toy) as [readonly TrainRequest[], readonly TrainRequest[]];
    const accuracies = first!.population.map(({ accuracy }) => accuracy);
    const best = accuracies.indexOf(Math.max(...accuracies));
    const worst = accuracies.indexOf(Math.min(...accuracies));
    for (const [i, request] of after.entries()) {
      expect(request.weights).toBe(first!.population[i === worst ? best : i]!.weights);
      if (i !== worst) expect(request.hyperparameters).toEqual(before[i]!.hyperparameters);
    }
    for (const name of ['learningRate', 'weightDecay'] as const) {
      const factor = after[worst]!.hyperparameters[name] / before[best]!.hyperparameters[name];
      expect([0.8, 1.2].some((f) => Math.abs(f - factor) < 1e-9)).toBe(true);
    }
    expect(after[worst]!.hyperparameters.momentum).toBe(0.9);
  });

  it('finds the learning rate: small ones die out', async () => {
    const toy = new ToyProblem(() => 2.2);
    const range = { from: 1e-5, to: 1e-2 };
    await collect(pbt({ ...params, steps: 40, learningRate: range }, toy.perform));
    const mean = (round: readonly TrainRequest[]) =>
      round.reduce((sum, { hyperparameters }) => sum + Math.log(hyperparameters.learningRate), 0) / round.length;
    const rounds = trainings(toy);
    expect(mean(rounds.at(-1)!)).toBeGreaterThan(mean(rounds[0]!) + Math.log(3));
  });

  it('starts with hyperparameters from the ranges, and random weights', async () => {
    const toy = new ToyProblem();
    await collect(pbt({ ...params, steps: 1, populationSize: 200 }, toy.perform));
    const rates = trainings(toy)[0]!.map(({ hyperparameters }) => hyperparameters.learningRate);
    expect(Math.min(...rates)).toBeGreaterThanOrEqual(0.001);
    expect(Math.max(...rates)).toBeLessThanOrEqual(0.3);
    // Log-uniform: half of them lie below the geometric mean.
    expect(Math.abs(rates.filter((rate) => rate < Math.sqrt(0.001 * 0.3)).length - 100)).toBeLessThan(36);
    expect(trainings(toy)[0]!.every(({ weights }) => weights === null)).toBe(true);
  });

  it('a member that diverged is replaced, and is nobody’s model', async () => {
    const toy = new ToyProblem(() => 2);
    // Of five, three learning rates or so are far too large.
    const steps = await collect(
      pbt({ ...params, learningRate: { from: 0.1, to: 1e9 }, truncation: 0.5, steps: 12 }, toy.perform),
    );
    expect(steps.at(-1)!.best!.accuracy).toBeGreaterThan(0.9);
  });

  it('ends where the budget does, with what was trained until then', async () => {
    const steps = await collect(pbt({ ...params, steps: 1000 }, new ToyProblem(undefined, 7).perform));
    expect(steps).toHaveLength(2);
    expect(steps.at(-1)!.population).toHaveLength(5);
    expect(await collect(pbt({ ...params, steps: 1000 }, new ToyProblem(undefined, 10).perform))).toHaveLength(2);
  });
});
