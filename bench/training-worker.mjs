/**
 * Steps of SGD with ours, for training.mjs. Usage: training-worker.mjs MODEL THREADS BATCH ENGINE. Speaks lines of
 * JSON: says {"description"} when ready, then answers each number of steps on standard input with {"seconds"}.
 */
import { createInterface } from 'node:readline';
import { rngAt } from '@nesgd/core/evolution';
import { modelSpec } from '@nesgd/core/models';
import { createEngine, initialWeights, Network, Sgd, trainStep } from '@nesgd/core/training';

const [model, threads, batch, engineName] = process.argv.slice(2);
const images = Number(batch);
const engine = await createEngine(engineName, Number(threads));
const network = new Network(engine, modelSpec(model, [32, 32, 3], 10));
network.load(initialWeights(network.spec, [1, 'bench']));
const sgd = new Sgd(network, { momentum: 0.9, weightDecay: 5e-4 }, () => 0.01);
const rng = rngAt(1, 'bench', 'batch');
const pixels = rng.fillNormal(new Float32Array(images * 32 * 32 * 3), 1);
const labels = Int32Array.from({ length: images }, () => rng.below(10));

console.log(JSON.stringify({ description: engine.description }));
for await (const line of createInterface({ input: process.stdin })) {
  const start = performance.now();
  for (let step = 0; step < Number(line); step++) trainStep(network, sgd, pixels, labels, 1);
  console.log(JSON.stringify({ seconds: (performance.now() - start) / 1000 }));
}
