import { setBackend, softmax, Tensor, tensor, tidy } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import { beforeAll, describe, expect, it } from 'vitest';
import { MODEL_NAMES, type Normalisation } from '../../protocol/index.js';
import { availableEngines } from '../engine/index.js';
import { SpecBuilder } from '../models/builder.js';
import { modelSpec } from '../models/index.js';
import { Network } from '../network.js';
import { tinyWeights } from '../test-support.js';
import { expectClose } from '../testing/expect-close.js';
import { NARROW_NETWORKS } from '../testing/narrow-networks.js';
import { graphModelFiles, type UsableNetwork } from './graph-model.js';

/** TensorFlow.js's own executor on its plainest backend reads what is written; what is wanted comes from elsewhere. */
beforeAll(async () => {
  await setBackend('cpu');
});

/** As `tf.loadGraphModel` gets it from a server. */
async function load(files: ReadonlyMap<string, Uint8Array>) {
  const { modelTopology, weightsManifest, ...rest } = JSON.parse(
    Buffer.from(files.get('model.json')!).toString('utf8'),
  );
  const [{ paths, weights }] = weightsManifest;
  const data = Buffer.concat(paths.map((path: string) => files.get(path)!));
  return loadGraphModel({
    load: async () => ({ ...rest, modelTopology, weightSpecs: weights, weightData: new Uint8Array(data).buffer }),
  });
}

/** A normalisation that changes nothing but rounding, so that fixtures' inputs can be fed. */
const identity = (channels: number): Normalisation => ({
  mean: Array(channels).fill(0),
  std: Array(channels).fill(1 / 255),
});

async function outputsOf(network: UsableNetwork, images: Float32Array, batch: number) {
  const model = await load(graphModelFiles(network, {}));
  try {
    return tidy(() => {
      const x = tensor(images, [batch, ...network.spec.inputShape]);
      const logits = model.execute(x, 'logits');
      const probabilities = model.predict(x);
      if (!(logits instanceof Tensor && probabilities instanceof Tensor)) throw new Error('one tensor each is wanted');
      return {
        logits: logits.dataSync() as Float32Array,
        probabilities: probabilities.dataSync() as Float32Array,
        softmax: softmax(logits).dataSync() as Float32Array,
      };
    });
  } finally {
    model.dispose();
  }
}

const engines = await availableEngines();

describe.each(NARROW_NETWORKS)('a narrow %s as a TensorFlow.js model', (_, { fixture, spec }) => {
  const { batchSize, channels } = fixture.config;
  const [height, width] = spec.inputShape;
  const images = fixture.tensor('images').values.subarray(0, batchSize * height * width * channels);
  const network = {
    spec,
    weights: fixture.withPrefix('trained.'),
    normalisation: identity(channels),
  };

  it('has the logits of PyTorch’s from the same weights, and their softmax', async () => {
    const outputs = await outputsOf(network, images, batchSize);
    expectClose('logits', outputs.logits, fixture.tensor('trainedEvalLogits').values, 2e-5);
    expectClose('probabilities', outputs.probabilities, outputs.softmax, 1e-7);
  });

  it.each(engines)('has the logits of the engine $name', async (engine) => {
    const { logits } = await outputsOf(network, images, batchSize);
    const ours = new Network(engine, spec);
    ours.load(network.weights);
    const x = engine.tensor(images, [batchSize, ...spec.inputShape]);
    const output = ours.logits(x);
    expectClose('logits', logits, engine.read(output), 5e-6);
    for (const tensor of [x, output]) tensor.dispose();
    ours.dispose();
  });
});

describe.each(['maxPool', 'avgPool'] as const)('a padded %s', (op) => {
  it.each(engines)('of values below zero has what the engine $name has', async (engine) => {
    const builder = new SpecBuilder('pooled', [5, 4, 2], 3, 'uniform');
    builder.enter({ stage: 'all', block: 'all' });
    const pooled = builder.pool(builder.input, op, { kernel: 3, stride: 2, padding: 1 });
    builder.linear(builder.globalAvgPool(pooled), 3, 'linear');
    const spec = builder.build();
    const weights = tinyWeights(spec);
    const images = Float32Array.from({ length: 5 * 4 * 2 }, (_, i) => -1 - ((i * 7) % 11));
    const { logits } = await outputsOf({ spec, weights, normalisation: identity(2) }, images, 1);
    const ours = new Network(engine, spec);
    ours.load(weights);
    const x = engine.tensor(images, [1, 5, 4, 2]);
    const output = ours.logits(x);
    expectClose('logits', logits, engine.read(output), 5e-6);
    for (const tensor of [x, output]) tensor.dispose();
    ours.dispose();
  });
});

describe('graphModelFiles', () => {
  const spec = modelSpec('resnet8', [6, 5, 3], 4);
  const network = {
    spec,
    weights: tinyWeights(spec),
    normalisation: { mean: [0.5, 0.4, 0.3], std: [0.2, 0.1, 0] },
  };
  const pixels = Float32Array.from({ length: 6 * 5 * 3 }, (_, i) => (i * 37) % 256);

  it('takes bytes: the graph normalises, and a channel without spread has the scale 1', async () => {
    const { logits } = await outputsOf(network, pixels, 1);
    const normalised = pixels.map((byte, i) => (byte / 255 - [0.5, 0.4, 0.3][i % 3]!) / [0.2, 0.1, 1][i % 3]!);
    const plain = await outputsOf({ ...network, normalisation: identity(3) }, normalised, 1);
    expectClose('logits', logits, plain.logits, 5e-6);
  });

  it('has the same bytes for the same network, and what it means in the metadata', () => {
    const metadata = { classNames: ['a', 'b'] };
    const files = graphModelFiles(network, metadata);
    expect(graphModelFiles(network, metadata)).toEqual(files);
    const model = JSON.parse(Buffer.from(files.get('model.json')!).toString('utf8'));
    expect(model.userDefinedMetadata).toEqual(metadata);
    expect(model.format).toBe('graph-model');
  });

  it('cuts the weights of a large network into files of 4 MiB that together are the weights', () => {
    const large = modelSpec('nin', [32, 32, 3], 10);
    const files = graphModelFiles({ ...network, spec: large, weights: tinyWeights(large) }, {});
    const { weightsManifest } = JSON.parse(Buffer.from(files.get('model.json')!).toString('utf8'));
    const [{ paths, weights }] = weightsManifest as [{ paths: string[]; weights: { shape: number[] }[] }];
    expect(paths).toEqual([...files.keys()].slice(1));
    const lengths = paths.map((path) => files.get(path)!.length);
    expect(lengths.slice(0, -1)).toEqual(lengths.slice(0, -1).map(() => 4 * 1024 * 1024));
    const wanted = weights.reduce((sum, { shape }) => sum + 4 * shape.reduce((a, b) => a * b, 1), 0);
    expect(lengths.reduce((a, b) => a + b)).toBe(wanted);
  });

  it.each(MODEL_NAMES)('writes %s so that TensorFlow.js reads it, every node named once', async (name) => {
    const full = modelSpec(name, [32, 32, 3], 10);
    const empty = new Map(full.parameters.map((p) => [p.name, new Float32Array(p.shape.reduce((a, b) => a * b, 1))]));
    const files = graphModelFiles({ ...network, spec: full, weights: empty, normalisation: identity(3) }, {});
    const nodes = JSON.parse(Buffer.from(files.get('model.json')!).toString('utf8')).modelTopology.node;
    const names = nodes.map((node: { name: string }) => node.name);
    expect(new Set(names).size).toBe(names.length);
    const model = await load(files);
    expect(model.inputs.map(({ name, shape }) => [name, shape])).toEqual([['images', [-1, 32, 32, 3]]]);
    expect(model.outputs.map(({ name }) => name)).toEqual(['probabilities']);
    model.dispose();
  });
});
