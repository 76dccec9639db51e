import { describe, expect, it } from 'vitest';
import { rngAt } from '../evolution/rng.js';
import { dropoutMask } from './dropout.js';
import { availableEngines } from './engine/index.js';
import { nin } from './models/nin.js';
import { Network } from './network.js';
import { SETTINGS, spotsData, tinyWeights } from './test-support.js';
import { train } from './train.js';
import type { Weights } from './weights.js';

const engines = await availableEngines();
const withDropout = (dropout: number) =>
  nin(
    'tiny',
    {
      blocks: [
        { kernel: 3, channels: [6, 5] },
        { kernel: 3, channels: [6] },
      ],
      pools: ['maxPool'],
      dropout,
    },
    [8, 8, 1],
    3,
  );

describe('dropoutMask', () => {
  it('holds 0 with the rate’s probability, else what keeps the mean', () => {
    const mask = dropoutMask(100_000, 0.3, rngAt(1, 'mask'));
    const zeros = mask.filter((value) => value === 0).length;
    // Five standard deviations of the binomial distribution.
    expect(Math.abs(zeros - 30_000)).toBeLessThan(5 * Math.sqrt(100_000 * 0.3 * 0.7));
    expect(new Set(mask)).toEqual(new Set([0, Math.fround(1 / 0.7)]));
  });

  it('is a function of the stream', () => {
    const mask = () => dropoutMask(64, 0.5, rngAt(1, 'mask', 2));
    expect(mask()).toEqual(mask());
    expect(mask()).not.toEqual(dropoutMask(64, 0.5, rngAt(1, 'mask', 3)));
  });
});

describe.each(engines.map((engine) => [engine.name, engine] as const))('dropout on %s', (_name, engine) => {
  const spec = withDropout(0.5);
  const pixels = rngAt(1, 'pixels').fillNormal(new Float32Array(4 * 64), 1);
  /** Wide enough that some of all layers' ReLUs let pass. */
  const weights: Weights = new Map(
    spec.parameters.map(({ name, shape }) => {
      const size = shape.reduce((product, length) => product * length, 1);
      return [name, rngAt(2, name).fillNormal(new Float32Array(size), 0.4)] as const;
    }),
  );

  function lossAndGradients(given: Weights, draws: number | undefined): { loss: number; gradients: Float32Array[] } {
    const network = new Network(engine, spec);
    network.load(given);
    const x = engine.tensor(pixels, [4, 8, 8, 1]);
    const labels = engine.labels(Int32Array.of(0, 1, 2, 1));
    const rng = draws === undefined ? undefined : rngAt(3, 'dropout', draws);
    const { loss, gradients } = network.gradients(x, labels, rng);
    const result = {
      loss: engine.read(loss).reduce((sum, value) => sum + value, 0) / 4,
      gradients: gradients.map((gradient) => engine.read(gradient)),
    };
    for (const tensor of [x, labels, loss, ...gradients, network]) tensor.dispose();
    expect(engine.memory().tensors, 'tensors left behind').toBe(0);
    return result;
  }

  it('gradients: the draws decide, and without a generator nothing is dropped', () => {
    expect(lossAndGradients(weights, 1)).toEqual(lossAndGradients(weights, 1));
    expect(lossAndGradients(weights, 1).loss).not.toBe(lossAndGradients(weights, 2).loss);
    expect(lossAndGradients(weights, undefined)).toEqual(lossAndGradients(weights, undefined));
  });

  it('gradients: along each bias, the loss changes as the gradient says while the draws stay (central differences)', () => {
    const { gradients } = lossAndGradients(weights, 1);
    for (const [i, { name }] of spec.parameters.entries()) {
      if (!name.endsWith('.bias')) continue;
      const g = gradients[i]!;
      const squared = g.reduce((sum, value) => sum + value * value, 0);
      expect(squared, name).toBeGreaterThan(0);
      const moved = (by: number) =>
        new Map(weights).set(
          name,
          weights.get(name)!.map((w, k) => w + by * g[k]!),
        );
      const step = 1e-3 / Math.sqrt(squared);
      const slope = (lossAndGradients(moved(step), 1).loss - lossAndGradients(moved(-step), 1).loss) / (2 * step);
      expect(Math.abs(slope / squared - 1), name).toBeLessThan(0.02);
    }
  });

  it('train: drops at every step, by its stream alone', async () => {
    const trainedWith = async (rate: number, run: number) => {
      const network = new Network(engine, withDropout(rate));
      network.load(tinyWeights(network.spec));
      const data = spotsData(32, 0);
      const stream = [run, 'order'] as const;
      // One batch of all images: their order changes the sums' rounding at most.
      await train(network, { data, settings: SETTINGS, learningRates: () => 0.5, stream, measureOn: 'test' });
      const trained = network.weights().get('classifier.8.bias')!;
      network.dispose();
      return trained;
    };
    const [once, again, other, without] = [
      await trainedWith(0.5, 1),
      await trainedWith(0.5, 1),
      await trainedWith(0.5, 2),
      await trainedWith(0, 1),
    ];
    expect(again).toEqual(once);
    const distance = (a: Float32Array, b: Float32Array) => Math.hypot(...a.map((value, i) => value - b[i]!));
    expect(distance(once, other)).toBeGreaterThan(1e-4);
    expect(distance(once, without)).toBeGreaterThan(1e-4);
  });
});
