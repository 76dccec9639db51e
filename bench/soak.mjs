/**
 * One trainer for a long time: alpha, then jobs that retrain from it, each from another mask. Tensors and resident
 * memory have to be as many at the end as after the first jobs.
 *
 * Run: npm run build && node bench/soak.mjs
 *   --jobs 50   --steps 40 (of each job)   --model resnet20   --batch 16   --engine tensorflow   --threads 1
 * Exit code 1 where a tensor stayed or memory grew by more than a twentieth.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { prepareDataset } from '@nesgd/core/datasets';
import { blockNames } from '@nesgd/core/models';
import { jobSchema, PROTOCOL_VERSION } from '@nesgd/core/protocol';
import { cacheFolder } from '@nesgd/core/storage';
import { createExecutor } from '@nesgd/core/training';

const { values: options } = parseArgs({
  options: {
    jobs: { type: 'string', default: '50' },
    steps: { type: 'string', default: '40' },
    model: { type: 'string', default: 'resnet20' },
    batch: { type: 'string', default: '16' },
    engine: { type: 'string', default: 'tensorflow' },
    threads: { type: 'string', default: '1' },
  },
});
const [jobs, steps, batch, threads] = ['jobs', 'steps', 'batch', 'threads'].map((name) => Number(options[name]));
const { model: name, engine } = /** @type {any} */ (options);

/** In MiB, as the operating system counts it. */
const residentMb = () => Number(/^VmRSS:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]) / 1024;

const root = mkdtempSync(join(tmpdir(), 'nesgd-soak-'));
try {
  const cache = cacheFolder(root);
  const augmentation = { padCrop: 2, horizontalFlip: true };
  // A fifth of the images is for validation.
  const images = { trainImages: (steps * batch * 5) / 4, testImages: 100, validationFraction: 0.2 };
  const { split } = await prepareDataset({ name: 'mnist', ...images, augmentation }, cache.datasets);
  const model = /** @type {const} */ ({ name, granularity: 'block' });
  const blocks = blockNames(model, [28, 28, 1], 10).length;
  const common = {
    ...{ version: PROTOCOL_VERSION, runId: 'soak', seed: 1, runtime: { engine, threads } },
    ...{ data: split, model, measureOn: 'validation' },
  };
  const optimisation = {
    ...{ epochs: 1, batchSize: batch, momentum: 0.9, weightDecay: 5e-4 },
    ...{ schedule: 'cosine', milestones: [], gamma: 0.1, weights: 'best' },
  };
  const executor = await createExecutor({ runtime: common.runtime, cache });
  const execute = (job) => executor.execute(jobSchema.parse(job));
  const alpha = await execute({ ...common, kind: 'alpha', training: { ...optimisation, learningRate: 0.1 } });
  let stepsDone = alpha.imagesTrained / batch;
  const measured = [];
  for (let job = 0; job < jobs; job++) {
    const mask = (2 ** job % (2 ** blocks - 1)).toString(2).padStart(blocks, '0');
    const result = await execute({
      ...{ ...common, kind: 'evaluate', alpha: alpha.weights, mask, repeat: 0, keepWeightsAbove: 2 },
      training: { ...optimisation, learningRateRetained: 0.01, learningRateReinitialised: 0.1 },
    });
    stepsDone += result.imagesTrained / batch;
    measured.push({ tensors: executor.engine.memory().tensors, residentMb: residentMb() });
    if (job === 0 || (job + 1) % 10 === 0) {
      const { tensors, residentMb: mb } = measured.at(-1);
      console.log(`after ${job + 1} jobs, ${stepsDone} steps: ${tensors} tensors, ${mb.toFixed(0)} MB resident`);
    }
  }
  console.log(`${executor.engineName}; ${name}, batch ${batch}; Node ${process.versions.node}`);
  // Allocators and compiled kernels warm up in the first fifth.
  const [early, end] = [measured[Math.floor(jobs / 5)], measured.at(-1)];
  const grown = end.residentMb / early.residentMb;
  const flat = end.tensors === measured[0].tensors && grown < 1.05;
  console.log(
    `${flat ? 'flat' : 'NOT flat'}: ${end.tensors - measured[0].tensors} tensors more, memory x ${grown.toFixed(3)}`,
  );
  if (!flat) process.exitCode = 1;
  executor.dispose();
} finally {
  rmSync(root, { recursive: true });
}
