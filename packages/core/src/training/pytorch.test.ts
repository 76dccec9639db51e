import { describe, expect, it } from 'vitest';
import { availableEngines, type Engine } from './engine/index.js';
import { Network } from './network.js';
import { expectClose } from './testing/expect-close.js';
import type { Fixture } from './testing/fixture.js';
import { NARROW_NETWORKS, type Narrow } from './testing/narrow-networks.js';
import { fromKernelLayout, type Weights } from './weights.js';

/** Relative to the largest value of each tensor; PyTorch computed in float64. About 1e-6 is seen. */
const FORWARD = 5e-6;
const BACKWARD = 1e-5;
/** Each step's rounding is carried on by the steps after it. */
const TWENTY_STEPS = 2e-5;

const engines = await availableEngines();

function batch(engine: Engine, { config, tensor: fixture, ints }: Fixture<Narrow>, index: number) {
  const { values, shape } = fixture('images');
  const perBatch = values.length / config.batches;
  const images = values.subarray(index * perBatch, (index + 1) * perBatch);
  const labels = ints('labels').subarray(index * config.batchSize, (index + 1) * config.batchSize);
  return { x: engine.tensor(images, shape.slice(1)), labels: engine.labels(labels) };
}

function logits(network: Network, fixture: Fixture<Narrow>): Float32Array {
  const { x, labels } = batch(network.engine, fixture, 0);
  const output = network.logits(x);
  const values = network.engine.read(output);
  for (const tensor of [x, labels, output]) tensor.dispose();
  return values;
}

/** The fixture's steps of SGD, from its initial weights. @returns the mean loss of each step's batch, before it. */
function train(network: Network, fixture: Fixture<Narrow>): { losses: Float32Array; weights: Weights } {
  const { engine } = network;
  const { config } = fixture;
  const variables = network.trainable.map(({ name }) => network.variable(name));
  const sgd = engine.sgd(variables, config);
  const losses = config.learningRates.map((learningRate, step) => {
    const { x, labels } = batch(engine, fixture, step % config.batches);
    const { loss, gradients } = network.gradients(x, labels);
    const mean = engine.read(loss).reduce((sum, value) => sum + value, 0) / config.batchSize;
    sgd.step(gradients, learningRate);
    for (const tensor of [x, labels, loss, ...gradients]) tensor.dispose();
    return mean;
  });
  sgd.dispose();
  return { losses: Float32Array.from(losses), weights: network.weights() };
}

describe.each(
  NARROW_NETWORKS.flatMap(([name, given]) => engines.map((engine) => [name, engine.name, engine, given] as const)),
)('a narrow %s on the %s engine', (_name, _engine, engine, { fixture, spec }) => {
  const { tensor, withPrefix } = fixture;

  function withNetwork<T>(use: (network: Network) => T): T {
    const network = new Network(engine, spec);
    network.load(withPrefix('initial.'));
    const result = use(network);
    network.dispose();
    expect(engine.memory().tensors, 'tensors left behind').toBe(0);
    return result;
  }

  it('has the logits of PyTorch’s in eval mode', () => {
    const got = withNetwork((network) => logits(network, fixture));
    expectClose('logits', got, tensor('evalLogits').values, FORWARD);
  });

  it('has the loss and all the gradients of PyTorch’s', () => {
    withNetwork((network) => {
      const { x, labels } = batch(engine, fixture, 0);
      const { loss, gradients } = network.gradients(x, labels);
      expectClose('loss', engine.read(loss), tensor('loss').values, FORWARD);
      expect(network.trainable.map(({ name }) => name).sort()).toEqual([...withPrefix('gradient.').keys()].sort());
      for (const [i, { name, shape }] of network.trainable.entries()) {
        const values = engine.read(gradients[i]!);
        const got = shape.length === 4 ? fromKernelLayout(values, shape) : values;
        expectClose(name, got, tensor(`gradient.${name}`).values, BACKWARD);
      }
      for (const tensor of [x, labels, loss, ...gradients]) tensor.dispose();
    });
  });

  it('has the losses, weights, running statistics and eval logits of PyTorch’s in twenty steps of SGD', () => {
    withNetwork((network) => {
      const { losses, weights } = train(network, fixture);
      expectClose('losses', losses, tensor('losses').values, TWENTY_STEPS);
      const wanted = withPrefix('trained.');
      expect([...weights.keys()].sort()).toEqual([...wanted.keys()].sort());
      for (const [name, values] of wanted) expectClose(name, weights.get(name)!, values, TWENTY_STEPS);
      expectClose('logits', logits(network, fixture), tensor('trainedEvalLogits').values, TWENTY_STEPS);
    });
  });

  it('trains to the same bits every time', () => {
    const [once, again] = [0, 1].map(() => withNetwork((network) => train(network, fixture).weights)) as [
      Weights,
      Weights,
    ];
    for (const [name, values] of once) expect(again.get(name), name).toEqual(values);
  });
});
