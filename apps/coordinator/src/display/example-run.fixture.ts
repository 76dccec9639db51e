import type { Progress } from '@nesgd/core/protocol';
import type { JobLabel, RunDescription, RunEvent, RunSummary } from '../run-events.js';

/** A run as its events tell it: two workers, a population of three, one generation, one retry. */

export const run: RunDescription = {
  runId: 'example-1',
  folder: 'runs/example-1',
  resumed: false,
  experiment: 'example',
  method: 'ne-sgd',
  dataset: 'mnist',
  trainImages: 5400,
  validationImages: 600,
  testImages: 10000,
  model: 'resnet8',
  blocks: 5,
  engine: 'tensorflow',
  threads: 1,
  workers: 2,
  broker: 'redis://127.0.0.1:6379',
  populationSize: 3,
  generations: 1,
  retrainEpochs: 2,
};

export const summary = {
  runId: 'example-1',
  dataset: 'mnist',
  model: 'resnet8',
  method: 'ne-sgd',
  engine: 'tensorflow',
  workers: 2,
  alpha: { validationAccuracy: 0.97, testAccuracy: 0.968, epochs: 2 },
  best: { mask: '11011', validationAccuracy: 0.98, testAccuracy: 0.9755 },
  verdict: 'better',
  expectation: null,
  generations: 1,
  evaluations: 6,
  cacheHits: 1,
  epochsTrained: 12,
  imagesTrained: 6480,
  seconds: 75.4,
} satisfies RunSummary;

export function job(text: string): JobLabel {
  return { id: text, text };
}

export function progress(epoch: number, epochs: number, accuracy: number | null = 0.95): Progress {
  return { epoch, epochs, trainLoss: 0.25, accuracy, imagesPerSecond: 540 };
}

/** Events with the milliseconds at which they come. */
export type Story = readonly (readonly [at: number, event: RunEvent])[];

export const story: Story = [
  [0, { type: 'preparing', what: 'reading data set mnist', fraction: 0 }],
  [200, { type: 'preparing', what: 'reading data set mnist', fraction: 0.5 }],
  [500, { type: 'notice', text: 'engine wasm: TensorFlow is missing\n"npm run setup" gets it' }],
  [1_000, { type: 'opened', run }],
  [1_000, { type: 'phase', phase: { name: 'alpha' }, total: 1, answered: 0 }],
  [1_100, { type: 'job-started', job: job('alpha'), worker: 'w-1' }],
  [11_000, { type: 'job-progress', job: job('alpha'), worker: 'w-1', progress: progress(1, 2, null) }],
  [21_000, { type: 'job-progress', job: job('alpha'), worker: 'w-1', progress: progress(2, 2, 0.97) }],
  [21_500, { type: 'job-done', job: job('alpha'), worker: 'w-1', accuracy: 0.97, seconds: 20.4 }],
  [22_000, { type: 'phase', phase: { name: 'generation', t: 0, of: 1 }, total: 3, answered: 0 }],
  [22_000, { type: 'job-started', job: job('11011'), worker: 'w-1' }],
  [22_000, { type: 'job-started', job: job('00011'), worker: 'w-2' }],
  [32_000, { type: 'job-progress', job: job('11011'), worker: 'w-1', progress: progress(1, 2) }],
  [33_000, { type: 'job-retried', job: job('00011'), reason: 'worker w-2 went silent' }],
  [42_000, { type: 'job-done', job: job('11011'), worker: 'w-1', accuracy: 0.98, seconds: 20 }],
  [42_000, { type: 'job-started', job: job('00011'), worker: 'w-1' }],
  [62_000, { type: 'job-done', job: job('00011'), worker: 'w-1', accuracy: 0.9, seconds: 20 }],
  [62_500, { type: 'job-done', job: job('10000'), worker: 'w-2', accuracy: 0.91, seconds: 10 }],
  [63_000, { type: 'generation-closed', t: 0, bestAccuracy: 0.98, bestMask: '11011', nabla: 0.08, suppressed: 0 }],
  [63_000, { type: 'phase', phase: { name: 'generation', t: 1, of: 1 }, total: 2, answered: 1 }],
  [70_000, { type: 'job-done', job: job('11111'), worker: 'w-1', accuracy: 0.96, seconds: 7 }],
  [70_000, { type: 'job-done', job: job('11000'), worker: 'w-2', accuracy: 0.95, seconds: 7 }],
  [71_000, { type: 'generation-closed', t: 1, bestAccuracy: 0.98, bestMask: '11011', nabla: 0.03, suppressed: 1 }],
  [71_000, { type: 'phase', phase: { name: 'test' }, total: 2, answered: 0 }],
  [73_000, { type: 'job-done', job: job('test of alpha'), worker: 'w-1', accuracy: 0.968, seconds: 1.5 }],
  [73_000, { type: 'job-done', job: job('test of best'), worker: 'w-2', accuracy: 0.9755, seconds: 1.5 }],
  [75_400, { type: 'finished', summary, folder: run.folder }],
];
