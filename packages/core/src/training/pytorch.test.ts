import { describe, expect, it } from 'vitest';
import { availableEngines, type Engine } from './engine/index.js';
import { Network } from './network.js';
import { expectClose } from './testing/expect-close.js';
import type { Fixture } from './testing/fixture.js';
import { NARROW_NETWORKS, type Narrow } from './testing/narrow-networks.js';
import { fromKernelLayout, type Weights } from './weights.js';

/** Of another order of sums and of Winograd's transformations; and what is allowed where PyTorch happens to be exact. */
const TIMES_PYTORCHS_OWN = 4;
const FLOOR = 2 ** -20;

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
  const { config, tensor, withPrefix } = fixture;

  /** PyTorch computed what is wanted in float64; how far its own float32 is from that, says how far we may be (decision 0275). */
  const expectPyTorchs = (
    kind: keyof Narrow['float32'],
    got: Float32Array,
    { name = kind, values = tensor(kind).values }: { readonly name?: string; readonly values?: Float32Array } = {},
  ) => expectClose(name, got, values, TIMES_PYTORCHS_OWN * config.float32[kind] + FLOOR, 0);

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
    expectPyTorchs('evalLogits', got);
  });

  it('has the loss and all the gradients of PyTorch’s', () => {
    withNetwork((network) => {
      const { x, labels } = batch(engine, fixture, 0);
      const { loss, gradients } = network.gradients(x, labels);
      expectPyTorchs('loss', engine.read(loss));
      expect(network.trainable.map(({ name }) => name).sort()).toEqual([...withPrefix('gradient.').keys()].sort());
      for (const [i, { name, shape }] of network.trainable.entries()) {
        const values = engine.read(gradients[i]!);
        const got = shape.length === 4 ? fromKernelLayout(values, shape) : values;
        expectPyTorchs('gradient', got, { name, ...tensor(`gradient.${name}`) });
      }
      for (const tensor of [x, labels, loss, ...gradients]) tensor.dispose();
    });
  });

  it('has the losses, weights, running statistics and eval logits of PyTorch’s in twenty steps of SGD', () => {
    withNetwork((network) => {
      const { losses, weights } = train(network, fixture);
      expectPyTorchs('losses', losses);
      const wanted = withPrefix('trained.');
      expect([...weights.keys()].sort()).toEqual([...wanted.keys()].sort());
      for (const [name, values] of wanted) expectPyTorchs('trained', weights.get(name)!, { name, values });
      expectPyTorchs('trainedEvalLogits', logits(network, fixture));
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
