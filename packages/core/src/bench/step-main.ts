/** Trains steps on random images on demand, exactly as a trainer does them, for `nesgd bench`: see messages.ts. */
import { createInterface } from 'node:readline';
import { rngAt } from '../evolution/rng.js';
import { errorToMessage } from '../trainer/messages.js';
import { createEngine, initialWeights, Network, Sgd, trainStep } from '../training/index.js';
import { modelSpec } from '../training/models/index.js';
import { matmulGflops } from './matmul.js';
import { type StepAnswer, type StepSettings, stepRequestSchema, stepSettingsSchema } from './messages.js';
import { peakMemoryMb } from './peak-memory.js';

const say = (answer: StepAnswer) => process.stdout.write(`${JSON.stringify(answer)}\n`);

/** @returns does so many steps of forward, backward and SGD with momentum and weight decay, always on one batch. */
async function prepare({ model, engine: name, device, threads, batch }: StepSettings) {
  const engine = await createEngine(name, threads, { device: device ?? 'cpu', precision: 'float32' });
  const network = new Network(engine, modelSpec(model, [32, 32, 3], 10));
  network.load(initialWeights(network.spec, [1, 'bench']));
  const sgd = new Sgd(network, { momentum: 0.9, weightDecay: 5e-4 }, () => 0.01);
  const rng = rngAt(1, 'bench', 'batch');
  const pixels = rng.fillNormal(new Float32Array(batch * 32 * 32 * 3), 1);
  const labels = Int32Array.from({ length: batch }, () => rng.below(10));
  const train = (steps: number) => {
    for (let step = 0; step < steps; step++) {
      trainStep(network, sgd, pixels, labels, 1, rngAt(1, 'bench', 'dropout', step));
    }
  };
  return { engine, train };
}

try {
  const { engine, train } = await prepare(stepSettingsSchema.parse(JSON.parse(process.argv[2] ?? 'null')));
  say({ ready: engine.description });
  // Standard input ends with whoever asks: no orphan goes on computing.
  for await (const line of createInterface({ input: process.stdin })) {
    const request = stepRequestSchema.parse(JSON.parse(line));
    if (request.do === 'memory') {
      say({ peakMb: peakMemoryMb() });
    } else if (request.do === 'matmul') {
      say({ gflops: matmulGflops(engine) });
    } else {
      const start = performance.now();
      train(request.steps);
      say({ seconds: (performance.now() - start) / 1000 });
    }
  }
} catch (error) {
  say({ error: errorToMessage(error) });
  process.exitCode = 1;
}
