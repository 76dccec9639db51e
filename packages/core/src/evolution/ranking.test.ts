import { expect, test } from 'vitest';
import { fittest, fittestFirst, nabla } from './ranking.js';

const individuals = [0.25, 0.75, 0.5, 0.75].map((fitness, i) => ({ mask: [(i % 2) as 0 | 1], fitness }));

test('fittestFirst: higher fitness first, equals by their place', () => {
  expect(fittestFirst([0.25, 0.75, 0.5, 0.75, 0.25])).toEqual([1, 3, 2, 0, 4]);
});

test('fittest: the first of the best', () => {
  expect(fittest(individuals)).toBe(individuals[1]);
  expect(() => fittest([])).toThrow('there is no fittest of no individuals');
});

test('nabla: the highest fitness less the lowest; 0 for one individual', () => {
  expect(nabla(individuals)).toBe(0.5);
  expect(nabla(individuals.slice(0, 1))).toBe(0);
});
