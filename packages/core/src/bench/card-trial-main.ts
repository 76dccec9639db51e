/** `node card-trial-main.js gpu|cpu`: see card-trial.ts. Prints one line of JSON. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { rngAt } from '../evolution/rng.js';
import type { Trial } from '../trainer/card-trial.js';
import { createEngine, initialWeights, Network, Sgd, trainStep } from '../training/index.js';
import { modelSpec } from '../training/models/index.js';

const BATCH = 16;
const STEPS = 3;

const device = z.enum(['cpu', 'gpu']).parse(process.argv[2]);
const engine = await createEngine('tensorflow', 1, { device, precision: 'float32' });

/** From the same weights on the same images, each time. */
function training(): Pick<Trial, 'logits' | 'digest' | 'msPerStep'> {
  const network = new Network(engine, modelSpec('resnet8', [32, 32, 3], 10));
  network.load(initialWeights(network.spec, [1, 'trial']));
  const sgd = new Sgd(network, { momentum: 0.9, weightDecay: 5e-4 }, () => 0.01);
  const pixels = rngAt(1, 'trial', 'images').fillNormal(new Float32Array(BATCH * 32 * 32 * 3), 1);
  const labels = Int32Array.from({ length: BATCH }, (_, i) => i % 10);
  const started = performance.now();
  for (let step = 0; step < STEPS; step++) trainStep(network, sgd, pixels, labels, 1, rngAt(1, 'trial', 'step', step));
  const [images, digest] = [engine.tensor(pixels, [BATCH, 32, 32, 3]), createHash('sha256')];
  const output = network.logits(images);
  const logits = [...engine.read(output)];
  const msPerStep = (performance.now() - started) / STEPS;
  for (const [name, values] of network.weights()) digest.update(name).update(values);
  for (const tensor of [images, output]) tensor.dispose();
  return { logits, digest: digest.digest('hex'), msPerStep };
}

const [first, second] = [training(), training()];
const trial: Trial = {
  engine: engine.description,
  ...second,
  isRepeatable: first.digest === second.digest,
};
process.stdout.write(`${JSON.stringify(trial)}\n`);
