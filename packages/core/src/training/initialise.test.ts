import { expect, it } from 'vitest';
import { rngAt } from '../evolution/rng.js';
import { initialise } from './initialise.js';
import type { Initial, ParameterSpec } from './models/index.js';

const draw = (initial: Initial) => {
  const block = { stage: 's', block: 'b', layer: 'l' };
  const parameter: ParameterSpec = { name: 'w', shape: [200, 100], trainable: true, initial, block };
  return initialise(parameter, rngAt(1, 'initialise'));
};
const rootMeanSquare = (values: Float32Array) => Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length);
const largest = (values: Float32Array) => values.reduce((most, v) => Math.max(most, Math.abs(v)), 0);

it.each([
  [{ kind: 'kaimingNormal', fanIn: 50 }, Math.sqrt(2 / 50)],
  [{ kind: 'normal', std: 0.05 }, 0.05],
  // A uniform distribution in +-b has the standard deviation b / sqrt(3).
  [{ kind: 'uniform', fanIn: 50 }, 1 / Math.sqrt(50 * 3)],
  [{ kind: 'xavierUniform', fanIn: 50, fanOut: 150 }, Math.sqrt(6 / 200 / 3)],
] as const)('%o has the standard deviation %d', (initial, std) => {
  expect(Math.abs(rootMeanSquare(draw(initial)) / std - 1)).toBeLessThan(0.02);
});

it.each([
  [{ kind: 'uniform', fanIn: 50 }, 1 / Math.sqrt(50)],
  [{ kind: 'xavierUniform', fanIn: 50, fanOut: 150 }, Math.sqrt(6 / 200)],
] as const)('%o stays within %d', (initial, bound) => {
  expect(largest(draw(initial))).toBeLessThanOrEqual(Math.fround(bound));
  expect(largest(draw(initial))).toBeGreaterThan(0.999 * bound);
});
