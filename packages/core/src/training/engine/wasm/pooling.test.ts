import { expect, it } from 'vitest';
import { createWasmEngine } from './index.js';

const engine = await createWasmEngine();

/** Rows of one channel. */
const image = (...rows: number[][]) =>
  engine.tensor(Float32Array.from(rows.flat()), [1, rows.length, rows[0]!.length, 1]);

it('maxPoolGrad: of equal largest values the first takes the gradient, and overlapping windows add up', () => {
  const x = image([1, 1, 1], [1, 2, 1], [1, 1, 2]);
  const geometry = { kernel: 2, stride: 1, padding: 0 };
  const y = engine.maxPool(x, geometry);
  const dy = image([1, 10], [100, 1000]);
  const dx = engine.maxPoolGrad(dy, x, y, geometry);
  expect(Array.from(engine.read(y))).toEqual([2, 2, 2, 2]);
  expect(Array.from(engine.read(dx))).toEqual([0, 0, 0, 0, 1111, 0, 0, 0, 0]);
  for (const tensor of [x, y, dy, dx]) tensor.dispose();
  expect(engine.memory().tensors).toBe(0);
});

it('maxPool, concat and addBias with ReLU: NaN stays, so that a network that diverged is seen', () => {
  const x = image([Number.NaN, 1], [2, Number.NaN]);
  const bias = engine.variable(Float32Array.of(1), [1]);
  const largest = engine.maxPool(x, { kernel: 2, stride: 2, padding: 0 });
  const joined = engine.concat([x], { relu: true });
  const biased = engine.addBias(x, bias, { relu: true });
  expect(Array.from(engine.read(largest))).toEqual([Number.NaN]);
  expect(Array.from(engine.read(joined))).toEqual([Number.NaN, 1, 2, Number.NaN]);
  expect(Array.from(engine.read(biased))).toEqual([Number.NaN, 2, 3, Number.NaN]);
  for (const value of [x, bias, largest, joined, biased]) value.dispose();
});
