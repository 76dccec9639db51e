import { describe, expect, it } from 'vitest';
import { availableEngines, type Engine } from './engine/index.js';
import { resnet } from './models/resnet.js';
import { Network } from './network.js';
import { expectClose } from './testing/expect-close.js';
import { readFixture } from './testing/fixture.js';
import { fromKernelLayout, type Weights } from './weights.js';

interface NarrowResNet {
  readonly widths: readonly number[];
  readonly blocks: readonly number[];
  readonly channels: number;
  readonly classes: number;
  readonly size: number;
  readonly batches: number;
  readonly batchSize: number;
  readonly momentum: number;
  readonly weightDecay: number;
  /** One a step. */
  readonly learningRates: readonly number[];
}

const { config, tensor: fixture, ints, withPrefix } = readFixture<NarrowResNet>('narrow-resnet');

/** Relative to the largest value of each tensor; PyTorch computed in float64. About 1e-6 is seen. */
const FORWARD = 5e-6;
const BACKWARD = 1e-5;
/** Each step's rounding is carried on by the steps after it. */
const TWENTY_STEPS = 2e-5;

const spec = resnet(
  'narrow',
  { widths: config.widths, blocks: config.blocks, weightInit: 'kaimingNormal' },
  [config.size, config.size, config.channels],
  config.classes,
);

function batch(engine: Engine, index: number) {
  const { values, shape } = fixture('images');
  const perBatch = values.length / config.batches;
  const images = values.subarray(index * perBatch, (index + 1) * perBatch);
  const labels = ints('labels').subarray(index * config.batchSize, (index + 1) * config.batchSize);
  return { x: engine.tensor(images, shape.slice(1)), labels: engine.labels(labels) };
}

function logits(network: Network): Float32Array {
  const { x, labels } = batch(network.engine, 0);
  const output = network.logits(x);
  const values = network.engine.read(output);
  for (const tensor of [x, labels, output]) tensor.dispose();
  return values;
}

/** The fixture's steps of SGD, from its initial weights. */
function train(network: Network): Weights {
  const { engine } = network;
  const variables = network.trainable.map(({ name }) => network.variable(name));
  const sgd = engine.sgd(variables, config);
  for (const [step, learningRate] of config.learningRates.entries()) {
    const { x, labels } = batch(engine, step % config.batches);
    const { loss, gradients } = network.gradients(x, labels);
    sgd.step(gradients, learningRate);
    for (const tensor of [x, labels, loss, ...gradients]) tensor.dispose();
  }
  sgd.dispose();
  return network.weights();
}

describe.each((await availableEngines()).map((engine) => [engine.name, engine] as const))(
  'a narrow ResNet on the %s engine',
  (_, engine) => {
    function withNetwork<T>(use: (network: Network) => T): T {
      const network = new Network(engine, spec);
      network.load(withPrefix('initial.'));
      const result = use(network);
      network.dispose();
      expect(engine.memory().tensors, 'tensors left behind').toBe(0);
      return result;
    }

    it('has the logits of PyTorch’s in eval mode', () => {
      expectClose('logits', withNetwork(logits), fixture('evalLogits').values, FORWARD);
    });

    it('has the loss and all the gradients of PyTorch’s', () => {
      withNetwork((network) => {
        const { x, labels } = batch(engine, 0);
        const { loss, gradients } = network.gradients(x, labels);
        expectClose('loss', engine.read(loss), fixture('loss').values, FORWARD);
        expect(network.trainable.map(({ name }) => name).sort()).toEqual([...withPrefix('gradient.').keys()].sort());
        for (const [i, { name, shape }] of network.trainable.entries()) {
          const values = engine.read(gradients[i]!);
          const got = shape.length === 4 ? fromKernelLayout(values, shape) : values;
          expectClose(name, got, fixture(`gradient.${name}`).values, BACKWARD);
        }
        for (const tensor of [x, labels, loss, ...gradients]) tensor.dispose();
      });
    });

    it('has the weights, running statistics and eval logits of PyTorch’s after twenty steps of SGD', () => {
      withNetwork((network) => {
        const trained = train(network);
        const wanted = withPrefix('trained.');
        expect([...trained.keys()].sort()).toEqual([...wanted.keys()].sort());
        for (const [name, values] of wanted) expectClose(name, trained.get(name)!, values, TWENTY_STEPS);
        expectClose('logits', logits(network), fixture('trainedEvalLogits').values, TWENTY_STEPS);
      });
    });

    it('trains to the same bits every time', () => {
      const [once, again] = [withNetwork(train), withNetwork(train)];
      for (const [name, values] of once) expect(again.get(name), name).toEqual(values);
    });
  },
);
