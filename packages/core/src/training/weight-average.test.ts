import { describe, expect, it } from 'vitest';
import { rngAt } from '../evolution/rng.js';
import { availableEngines, type Engine } from './engine/index.js';
import { accuracyOf } from './evaluate.js';
import { Network } from './network.js';
import { Sgd } from './sgd.js';
import { SETTINGS, spotsData, tinySpec, tinyWeights } from './test-support.js';
import { NARROW_NETWORKS } from './testing/narrow-networks.js';
import { train, trainStep } from './train.js';
import { batchOf } from './training-data.js';
import type { Weights } from './weights.js';

const engines = await availableEngines();
const spec = tinySpec();
const data = spotsData(96, 30);
const base = { data, stream: [1, 'average'], measureOn: 'validation', learningRates: () => 0.05 } as const;
const constant = { ...SETTINGS, schedule: 'constant' } as const;

async function trained(
  engine: Engine,
  settings: Partial<typeof SETTINGS>,
  stopBelow?: { epoch: number; accuracy: number },
) {
  const network = new Network(engine, spec);
  network.load(tinyWeights(spec));
  const request = { ...base, settings: { ...constant, ...settings }, ...(stopBelow && { stopBelow: [stopBelow] }) };
  const result = await train(network, request);
  return { network, result, weights: network.weights() };
}

describe.each(engines.map((engine) => [engine.name, engine] as const))('averageLast on %s', (_name, engine) => {
  it('leaves the mean of the last epochs’ weights, measured with statistics of its own, and is charged their images', async () => {
    const { network, result, weights } = await trained(engine, { epochs: 4, averageLast: 3 });
    // With a constant learning rate a shorter training is the beginning of a longer one.
    const ends: Weights[] = [];
    for (const epochs of [2, 3, 4]) ends.push((await trained(engine, { epochs })).weights);
    for (const { name, trainable } of spec.parameters) {
      if (!trainable) continue;
      weights.get(name)!.forEach((value, i) => {
        expect(value).toBeCloseTo((ends[0]!.get(name)![i]! + ends[1]!.get(name)![i]! + ends[2]!.get(name)![i]!) / 3, 5);
      });
    }
    expect(result.accuracy).toBe(await accuracyOf(network, data.train, data.partition.validation));
    expect(result.imagesTrained).toBe(4 * 96 + 96);
    expect(result.curve).toHaveLength(4);
  });

  it('has the statistics of the averaged weights: in eval mode the loss of the training images is that of train mode', async () => {
    const { network } = await trained(engine, { epochs: 3, averageLast: 2, batchSize: 96 });
    const { pixels, labels } = batchOf(data.train, data.partition.train);
    const x = engine.tensor(pixels, [96, ...spec.inputShape]);
    const logits = network.logits(x);
    const values = engine.read(logits);
    let inEvalMode = 0;
    for (const [n, label] of labels.entries()) {
      const row = values.subarray(n * spec.classes, (n + 1) * spec.classes);
      inEvalMode += Math.log(row.reduce((sum, value) => sum + Math.exp(value), 0)) - row[label]!;
    }
    const sgd = new Sgd(network, constant, () => 0.05);
    const inTrainMode = trainStep(network, sgd, pixels, labels, 1);
    sgd.dispose();
    for (const tensor of [x, logits]) tensor.dispose();
    // Eval mode divides by n - 1 where train mode divides by n.
    expect(inEvalMode / 96).toBeCloseTo(inTrainMode / 96, 2);
  });

  it('averages what a shorter training has, one epoch alone and a training that is ended early not at all', async () => {
    const short = await trained(engine, { epochs: 2, averageLast: 5 });
    expect(short.weights).toEqual((await trained(engine, { epochs: 2, averageLast: 2 })).weights);
    const single = await trained(engine, { epochs: 1, averageLast: 5 });
    expect(single.weights).toEqual((await trained(engine, { epochs: 1 })).weights);
    expect(single.result.imagesTrained).toBe(96);
    const ended = await trained(engine, { epochs: 4, averageLast: 4 }, { epoch: 3, accuracy: 1.1 });
    expect(ended.weights).toEqual((await trained(engine, { epochs: 3 })).weights);
    expect(ended.result.imagesTrained).toBe(3 * 96);
  });

  it.each(NARROW_NETWORKS)('observing leaves no tensor behind: %s', (_of, { spec: narrow }) => {
    const network = new Network(engine, narrow);
    network.load(tinyWeights(narrow));
    const images = 4;
    const x = engine.tensor(new Float32Array(images * narrow.inputShape.reduce((a, b) => a * b)), [
      images,
      ...narrow.inputShape,
    ]);
    const before = engine.memory().tensors;
    network.observe(x, rngAt(1, 'observe'));
    expect(engine.memory().tensors).toBe(before);
    x.dispose();
    network.dispose();
  });

  it('leaves no tensor behind', async () => {
    const before = engine.memory().tensors;
    for (let i = 0; i < 2; i++) (await trained(engine, { epochs: 2, averageLast: 2 })).network.dispose();
    expect(engine.memory().tensors).toBe(before);
  });
});
