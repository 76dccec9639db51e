import { expect, it } from 'vitest';
import { NesgdError } from '../errors.js';
import { availableEngines } from './engine/index.js';
import { accuracyOf, argMax } from './evaluate.js';
import { Network } from './network.js';
import { spotsData, tinySpec, tinyWeights } from './test-support.js';

const [engine] = await availableEngines();
const spec = tinySpec();

function networkOf(change: (name: string, values: Float32Array) => Float32Array = (_, values) => values): Network {
  const network = new Network(engine!, spec);
  network.load(new Map(Array.from(tinyWeights(spec), ([name, values]) => [name, change(name, values)] as const)));
  return network;
}

it('accuracyOf: counts every image once, also in a last batch that is smaller', async () => {
  // Always answers class 1, by its bias alone.
  const network = networkOf((name, values) =>
    name === 'linear.weight'
      ? new Float32Array(values.length)
      : name === 'linear.bias'
        ? Float32Array.of(0, 1, 0)
        : values,
  );
  const data = spotsData(700, 0);
  const { train } = data.partition;
  expect(await accuracyOf(network, data.train, train)).toBe(233 / 700); // labels go 0, 1, 2, 0, ...
  expect(await accuracyOf(network, data.train, train.subarray(1, 2))).toBe(1);
  expect(await accuracyOf(network, data.train, train.subarray(2, 3))).toBe(0);
  network.dispose();
});

it('accuracyOf: logits that are not numbers are wrong', async () => {
  const network = networkOf((name, values) => (name === 'linear.bias' ? values.map(() => Number.NaN) : values));
  const data = spotsData(30, 0);
  expect(await accuracyOf(network, data.train, data.partition.train)).toBe(0);
  network.dispose();
});

it('accuracyOf: stops when aborted', async () => {
  const network = networkOf();
  const data = spotsData(30, 0);
  const reason = new NesgdError('ABORTED', 'stopped');
  await expect(
    accuracyOf(network, data.train, data.partition.train, { signal: AbortSignal.abort(reason) }),
  ).rejects.toBe(reason);
  network.dispose();
});

it('argMax: the first of equals; -1 with NaN anywhere', () => {
  expect(argMax(Float32Array.of(1, 3, 3, 2))).toBe(1);
  expect(argMax(Float32Array.of(-2, -1))).toBe(1);
  expect(argMax(Float32Array.of(5, Number.NaN))).toBe(-1);
  expect(argMax(Float32Array.of(Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY))).toBe(0);
});
