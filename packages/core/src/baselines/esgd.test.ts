import { describe, expect, it } from 'vitest';
import { type EsgdParams, esgd } from './esgd.js';
import { accuracyOf, collect, TARGET, ToyProblem } from './toy-problem.fixture.js';

const params: EsgdParams = {
  seed: 1,
  generations: 8,
  populationSize: 4,
  offspring: 6,
  elite: 2,
  parents: 2,
  noise: 0.1,
  epochs: 1,
  species: [
    { learningRate: 0.1, momentum: 0, weightDecay: 0 },
    { learningRate: 0.4, momentum: 0, weightDecay: 0 },
  ],
  smallestRateFactor: 1,
};

describe('esgd', () => {
  it('comes to the known answer', async () => {
    const steps = await collect(esgd(params, new ToyProblem().perform));
    expect(Number(steps.at(-1)!.best!.weights)).toBeCloseTo(TARGET, 2);
  });

  it('never loses its best and never lets the elite average fall, whatever the training does', async () => {
    // A learning rate above 1 leads away from the target: every training degrades.
    const harmful = [{ learningRate: 1.1, momentum: 0, weightDecay: 0 }];
    const toy = new ToyProblem(() => 2.4);
    const steps = await collect(esgd({ ...params, species: harmful, generations: 12 }, toy.perform));
    const eliteAverage = steps.map(({ population }) => {
      const sorted = population.map(({ accuracy }) => accuracy).sort((a, b) => b - a);
      return (sorted[0]! + sorted[1]!) / 2;
    });
    for (const [t, average] of eliteAverage.entries())
      if (t > 0) expect(average).toBeGreaterThanOrEqual(eliteAverage[t - 1]!);
    for (const step of steps) expect(step.best!.accuracy).toBe(Math.max(...step.population.map((m) => m.accuracy)));
  });

  it('backs off: who degrades keeps the weights it had', async () => {
    const harmful = [{ learningRate: 1.1, momentum: 0, weightDecay: 0 }];
    const toy = new ToyProblem(() => 2.4);
    const steps = await collect(
      esgd({ ...params, species: harmful, generations: 2, offspring: 1, noise: 0 }, toy.perform),
    );
    // All start alike, so do their means: whoever had kept a degraded step would be further from the target.
    const first = 3 + 0.6 * 1.2;
    for (const { population } of steps)
      for (const { weights } of population) expect(Number(weights)).toBeCloseTo(first, 9);
  });

  it('recombines: with two parents on both sides of the target their mean is the best', async () => {
    const starts = [2.5, 3.5, 2.5, 3.5];
    const toy = new ToyProblem((id) => starts[Number(id.split('-')[2]) - 1]!);
    const still = [{ learningRate: 0, momentum: 0, weightDecay: 0 }];
    const steps = await collect(
      esgd({ ...params, species: still, generations: 1, noise: 0, offspring: 20 }, toy.perform),
    );
    expect(steps[0]!.best).toMatchObject({ weights: '3', accuracy: 1 });
    expect(steps[0]!.best!.id).toMatch(/^offspring-1-/);
  });

  it('draws parents in proportion to their fitness', async () => {
    const near = TARGET - Math.sqrt(0.1); // accuracy 0.9
    const far = TARGET - Math.sqrt(0.7); // accuracy 0.3
    const toy = new ToyProblem((id) => (id.endsWith('1') ? near : far));
    const still = [{ learningRate: 0, momentum: 0, weightDecay: 0 }];
    const wheel = { ...params, species: still, populationSize: 2, generations: 1, offspring: 4000, parents: 1 };
    await collect(esgd(wheel, toy.perform));
    const drawn = toy.rounds[1]!.flatMap((request) => (request.kind === 'recombine' ? request.parents : []));
    const share = drawn.filter((parent) => accuracyOf(Number(parent)) > 0.5).length / drawn.length;
    expect(Math.abs(share - 0.75)).toBeLessThan(5 * Math.sqrt((0.75 * 0.25) / 4000));
  });

  it('mutation fades: the noise of generation k is sigma_0 / k', async () => {
    const toy = new ToyProblem();
    await collect(esgd({ ...params, generations: 3 }, toy.perform));
    const noises = toy.rounds.flat().flatMap((request) => (request.kind === 'recombine' ? [request.noise] : []));
    expect([...new Set(noises)]).toEqual([0.1, 0.05, 0.1 / 3]);
  });

  it('rateDecay: learning rates fall from generation to generation, and the answer is still reached', async () => {
    const ratesOf = async (rateDecay?: number) => {
      const toy = new ToyProblem();
      const steps = await collect(esgd({ ...params, species: [params.species[1]!], rateDecay }, toy.perform));
      expect(Number(steps.at(-1)!.best!.weights)).toBeCloseTo(TARGET, 2);
      const trainings = toy.rounds.map((requests) => requests.find((request) => request.kind === 'train'));
      return trainings.flatMap((training) => training?.hyperparameters.learningRate ?? []);
    };
    expect(await ratesOf()).toEqual(Array(8).fill(0.4));
    const rates = await ratesOf(0.8);
    for (const [i, rate] of rates.entries()) expect(rate).toBeCloseTo(0.4 * 0.8 ** i, 12);
    expect(rates).toHaveLength(8);
  });

  it('is a function of its parameters and the answers: the same again asks the same', async () => {
    const [one, other] = [new ToyProblem(), new ToyProblem()];
    expect(await collect(esgd(params, one.perform))).toEqual(await collect(esgd(params, other.perform)));
    expect(one.rounds).toEqual(other.rounds);
    const seeded = new ToyProblem();
    await collect(esgd({ ...params, seed: 2 }, seeded.perform));
    expect(seeded.rounds).not.toEqual(one.rounds);
  });

  it('goes on where one diverges, and ends where the budget does', async () => {
    const toy = new ToyProblem(undefined, 10);
    const species = [...params.species, { learningRate: 500, momentum: 0, weightDecay: 0 }];
    const steps = await collect(esgd({ ...params, species, generations: 100 }, toy.perform));
    expect(steps).toHaveLength(3); // 4 + 4 + 2 trainings.
    const whole = new ToyProblem(undefined, 8);
    await collect(esgd({ ...params, generations: 100 }, whole.perform));
    // Nothing evolves that was not trained before.
    expect(whole.rounds.at(-1)![0]!.kind).toBe('train');
    expect(steps.at(-1)!.best!.weights).not.toBeNull();
  });
});
