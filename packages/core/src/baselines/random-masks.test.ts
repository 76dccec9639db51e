import { expect, test } from 'vitest';
import type { Evaluate } from '../evolution/index.js';
import { randomMasks } from './random-masks.js';
import { collect } from './toy-problem.fixture.js';

const params = { seed: 5, genomeLength: 12, populationSize: 4, generations: 30, initialRetainProbability: 0.5 };
const ones: Evaluate = async (masks) =>
  masks.map((mask) => ({ mask, fitness: mask.filter((bit) => bit === 1).length / mask.length }));

test('random-masks: nothing is inherited: the offspring of the last generation are no better than those of the first', async () => {
  const generations = await collect(randomMasks({ ...params, generations: 400 }, ones));
  const mean = (of: typeof generations) => {
    const fitness = of.flatMap(({ offspring }) => offspring.map((individual) => individual.fitness));
    return fitness.reduce((sum, f) => sum + f) / fitness.length;
  };
  // 800 draws of mean 1/2 and standard deviation sqrt(1/48): five standard errors.
  const tolerance = (5 * Math.sqrt(1 / 48)) / Math.sqrt(800);
  expect(Math.abs(mean(generations.slice(0, 200)) - 0.5)).toBeLessThan(tolerance);
  expect(Math.abs(mean(generations.slice(200, 400)) - 0.5)).toBeLessThan(tolerance);
});

test('random-masks: the best and the parents are the fittest of all masks drawn so far', async () => {
  const generations = await collect(randomMasks(params, ones));
  const drawn = generations.flatMap(({ offspring }) => offspring.map(({ fitness }) => fitness)).sort((a, b) => b - a);
  const last = generations.at(-1)!;
  expect(generations).toHaveLength(31);
  expect(last.best.fitness).toBe(drawn[0]);
  expect(last.parents.map(({ fitness }) => fitness)).toEqual(drawn.slice(0, 4));
});

test('random-masks: goes on after a saved generation as if it had not been interrupted', async () => {
  const whole = await collect(randomMasks(params, ones));
  expect(await collect(randomMasks(params, ones, whole[9]))).toEqual(whole.slice(10));
});
