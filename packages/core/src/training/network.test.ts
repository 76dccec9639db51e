import { describe, expect, it, vi } from 'vitest';
import { rngAt } from '../evolution/rng.js';
import { initialWeights } from './alpha.js';
import { availableEngines, type Engine } from './engine/index.js';
import { DENSENETS, densenet } from './models/densenet.js';
import { modelSpec } from './models/index.js';
import { Network } from './network.js';
import { Sgd } from './sgd.js';
import { tinySpec, tinyWeights } from './test-support.js';
import { fromKernelLayout, type Weights } from './weights.js';

const engines = await availableEngines();
const spec = tinySpec([6, 6, 2], 3);
const N = 5;
const rng = rngAt(1, 'network test');
const pixels = rng.fillNormal(new Float32Array(N * 6 * 6 * 2), 1);
const labels = Int32Array.of(0, 1, 2, 1, 0);

describe.each(engines.map((engine) => [engine.name, engine] as const))('network on %s', (_name, engine) => {
  it('gradients: along each parameter, the loss changes as its gradient says (central differences)', () => {
    const weights = tinyWeights(spec);
    const { gradients } = lossAndGradients(engine, weights);
    for (const [i, { name, shape }] of spec.parameters.filter((p) => p.trainable).entries()) {
      const g = shape.length === 4 ? fromKernelLayout(gradients[i]!, shape) : gradients[i]!;
      const length = Math.sqrt(g.reduce((sum, v) => sum + v * v, 0));
      // A step against the gradient, small enough that no ReLU turns.
      const step = 1e-3;
      const moved = (by: number) =>
        new Map(weights).set(
          name,
          weights.get(name)!.map((w, k) => w + (by * g[k]!) / length),
        );
      const slope =
        (lossAndGradients(engine, moved(step)).loss - lossAndGradients(engine, moved(-step)).loss) / (2 * step);
      expect(Math.abs(slope / length - 1), name).toBeLessThan(0.01);
    }
  });

  it('nin: from normalised images its random weights give logits that tell images apart, and a step of SGD brings the loss down', () => {
    const large = modelSpec('nin', [32, 32, 3], 10);
    const network = new Network(engine, large);
    network.load(initialWeights(large, [1, 'network test']));
    const images = engine.tensor(rngAt(1, 'images').fillNormal(new Float32Array(4 * 32 * 32 * 3), 1), [4, 32, 32, 3]);
    const y = engine.labels(Int32Array.of(0, 1, 2, 3));
    const lossNow = () => {
      const { loss, gradients } = network.gradients(images, y);
      const value = engine.read(loss).reduce((sum, of) => sum + of, 0) / 4;
      loss.dispose();
      return { value, gradients };
    };
    const logits = network.logits(images);
    // With the source's standard deviation, which is for pixels of 0 to 255, logits are a hundredth of that, and the step gains nothing.
    expect(Math.max(...engine.read(logits))).toBeGreaterThan(0.3);
    const { value, gradients } = lossNow();
    const sgd = new Sgd(network, { momentum: 0.9, weightDecay: 0 }, () => 1e-4);
    sgd.step(gradients, 1);
    const after = lossNow();
    expect(value - after.value).toBeGreaterThan(0.002);
    for (const tensor of [images, y, logits, ...gradients, ...after.gradients, sgd, network]) tensor.dispose();
  });

  it('gradients: leaves nothing behind on the engine but what it returns', () => {
    const network = new Network(engine, spec);
    network.load(tinyWeights(spec));
    const x = engine.tensor(pixels, [N, 6, 6, 2]);
    const y = engine.labels(labels);
    const once = () => {
      const { loss, gradients } = network.gradients(x, y);
      for (const tensor of [loss, ...gradients]) tensor.dispose();
    };
    once();
    const before = engine.memory().tensors;
    once();
    expect(engine.memory().tensors).toBe(before);
    for (const tensor of [x, y, network]) tensor.dispose();
  });

  it('gradients: of a dense block’s concatenations, only the last waits for the backward pass', () => {
    const concatenations: { channels: number; isAlive: () => boolean }[] = [];
    let waiting: number[] = [];
    const watched: Engine = {
      ...engine,
      concat: (inputs, options) => {
        const y = engine.concat(inputs, options);
        const dispose = vi.spyOn(y, 'dispose');
        concatenations.push({ channels: y.shape[3]!, isAlive: () => dispose.mock.calls.length === 0 });
        return y;
      },
      softmaxCrossEntropy: (logits, target) => {
        waiting = concatenations.filter(({ isAlive }) => isAlive()).map(({ channels }) => channels);
        return engine.softmaxCrossEntropy(logits, target);
      },
    };
    const options = { ...DENSENETS.densenet100, stem: 4, growth: 2, layers: [3, 2] };
    const network = new Network(watched, densenet('tiny', options, [6, 6, 2], 3));
    network.load(tinyWeights(network.spec));
    const x = engine.tensor(pixels, [N, 6, 6, 2]);
    const y = engine.labels(labels);
    const { loss, gradients } = network.gradients(x, y);
    expect(concatenations.map(({ channels }) => channels)).toEqual([6, 8, 10, 12, 14]);
    expect(waiting).toEqual([10, 14]);
    expect(concatenations.some(({ isAlive }) => isAlive())).toBe(false);
    for (const tensor of [x, y, loss, ...gradients, network]) tensor.dispose();
  });

  it('logits: an image’s do not depend on the others in the batch, and nothing stays behind', () => {
    const before = engine.memory().tensors;
    const network = new Network(engine, spec);
    network.load(tinyWeights(spec));
    const logitsOf = (values: Float32Array) => {
      const x = engine.tensor(values, [values.length / 72, 6, 6, 2]);
      const y = network.logits(x);
      const logits = Array.from(engine.read(y));
      x.dispose();
      y.dispose();
      return logits;
    };
    const all = logitsOf(pixels);
    const alone = logitsOf(pixels.slice(72, 144));
    for (const [i, logit] of alone.entries()) expect(logit).toBeCloseTo(all[3 + i]!, 5);
    network.dispose();
    expect(engine.memory().tensors).toBe(before);
  });

  it('load and weights: a copy of what was loaded, statistics too', () => {
    const weights = tinyWeights(spec, 2);
    const network = new Network(engine, spec);
    network.load(weights);
    expect(network.weights()).toEqual(weights);
    network.dispose();
  });

  it('gradients moves the running statistics and no other parameter', () => {
    const weights = tinyWeights(spec);
    const network = new Network(engine, spec);
    network.load(weights);
    const x = engine.tensor(pixels, [N, 6, 6, 2]);
    const y = engine.labels(labels);
    const { loss, gradients } = network.gradients(x, y);
    const after = network.weights();
    for (const { name, trainable } of spec.parameters) {
      if (trainable) expect(after.get(name), name).toEqual(weights.get(name));
      else expect(after.get(name), name).not.toEqual(weights.get(name));
    }
    for (const tensor of [x, y, loss, ...gradients, network]) tensor.dispose();
  });
});

it('an unknown parameter or one of the wrong size is a fault of the program', () => {
  const network = new Network(engines[0]!, spec);
  expect(() => network.variable('conv9.weight')).toThrow('tiny has no parameter conv9.weight');
  expect(() => network.load(new Map([['conv1.weight', new Float32Array(3)]]))).toThrow(/conv1\.weight: got 3 values/);
  network.dispose();
});

/** Mean loss of the batch in train mode. */
function lossAndGradients(engine: Engine, weights: Weights): { loss: number; gradients: Float32Array[] } {
  const network = new Network(engine, spec);
  network.load(weights);
  const x = engine.tensor(pixels, [N, 6, 6, 2]);
  const y = engine.labels(labels);
  const result = network.gradients(x, y);
  const loss = engine.read(result.loss).reduce((sum, v) => sum + v, 0) / N;
  const gradients = result.gradients.map((gradient) => engine.read(gradient));
  for (const tensor of [x, y, result.loss, ...result.gradients, network]) tensor.dispose();
  return { loss, gradients };
}
