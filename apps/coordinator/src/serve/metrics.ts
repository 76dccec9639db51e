import { NesgdError } from '@nesgd/core/errors';
import type { ListedRun } from '@nesgd/core/view';
import type { Hono } from 'hono';
import { Counter, Gauge, Registry } from 'prom-client';
import { EVALUATION_SECONDS } from '../reading/journal-figures.js';
import { CountedHistogram } from './counted-histogram.js';
import { measureGpus } from './gpu-metrics.js';
import type { WatchedQueue } from './queue-board.js';
import type { RunFollower } from './run-follower.js';
import type { RunFollowers } from './run-followers.js';

type HealthyRun = Exclude<ListedRun, { state: 'damaged' }>;

/**
 * `/metrics`, for Prometheus: counts of runs, and everything about those that go on and the one started last. Made
 * anew from journals at each scrape, so a restart of this process resets no counter.
 */
export function addMetrics(app: Hono, followers: RunFollowers, watched?: WatchedQueue): void {
  app.get('/metrics', async (c) => {
    const runs = new Registry();
    await Promise.all([measure(runs, followers), measureGpus(runs)]);
    if (watched) await measureBroker(runs, watched);
    c.header('Content-Type', runs.contentType);
    c.header('Cache-Control', 'no-store');
    return c.body(await runs.metrics());
  });
}

async function measure(registry: Registry, followers: RunFollowers): Promise<void> {
  const metrics = metricsIn(registry);
  const runs = await followers.reader.list();
  for (const state of ['running', 'stopped', 'finished', 'diverged', 'damaged'] as const)
    metrics.runs.set({ state }, runs.filter((run) => run.state === state).length);
  const healthy = runs.filter((run): run is HealthyRun => run.state !== 'damaged');
  const last = healthy.at(-1);
  for (const run of healthy) {
    if (run.state !== 'running' && run !== last) continue;
    try {
      measureRun(metrics, run, await followers.get(run.runId));
    } catch (error) {
      if (!(error instanceof NesgdError)) throw error; // Deleted or damaged since it was listed.
    }
  }
}

type Metrics = ReturnType<typeof metricsIn>;

function metricsIn(registry: Registry) {
  const registers = [registry];
  const gauge = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Gauge({ name, help, labelNames, registers });
  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]) =>
    new Counter({ name, help, labelNames, registers });
  return {
    runs: gauge('nesgd_runs', 'Runs in the folder by state.', 'state'),
    info: gauge(
      'nesgd_run_info',
      'Always 1; what the run is, as labels.',
      'run',
      'experiment',
      'model',
      'dataset',
      'engine',
    ),
    running: gauge('nesgd_run_running', '1 while a living process works on the run.', 'run'),
    generation: gauge('nesgd_run_generation', 'The last closed generation; -1 before the first.', 'run'),
    generations: gauge('nesgd_run_generations', 'Generations that the run is to have.', 'run'),
    alpha: gauge('nesgd_run_alpha_accuracy_ratio', 'Accuracy of alpha on the fitness split.', 'run'),
    best: gauge('nesgd_run_best_accuracy_ratio', 'The best accuracy of an individual so far.', 'run'),
    nabla: gauge('nesgd_run_nabla_ratio', "Range of the last survivors' accuracies.", 'run'),
    lastFact: gauge('nesgd_run_last_fact_timestamp_seconds', 'When the journal got its last line.', 'run'),
    evaluated: counter('nesgd_individuals_evaluated_total', 'Individuals retrained and measured.', 'run'),
    failed: counter(
      'nesgd_individuals_failed_total',
      'Individuals given up, as every trainer that tried them died.',
      'run',
    ),
    images: counter('nesgd_images_trained_total', "Training images seen, alpha's among them.", 'run'),
    seconds: new CountedHistogram(
      'nesgd_evaluation_seconds',
      'Time a worker spent on an individual.',
      EVALUATION_SECONDS,
      registers,
    ),
    jobs: gauge('nesgd_jobs', 'Jobs of the current phase by state.', 'run', 'state'),
    retries: counter(
      'nesgd_job_retries_total',
      'Jobs done again after a failure, since the run’s process began.',
      'run',
    ),
    workerUp: gauge(
      'nesgd_worker_up',
      '1 for a worker that has done or does jobs of a run that goes on.',
      'run',
      'worker',
    ),
    workerSpeed: gauge('nesgd_worker_images_per_second', 'As last reported.', 'run', 'worker'),
    workerMemory: gauge(
      'nesgd_trainer_resident_memory_bytes',
      "Of a worker's trainer, as last reported.",
      'run',
      'worker',
    ),
    workerHeard: gauge('nesgd_worker_last_heard_timestamp_seconds', 'When it last said something.', 'run', 'worker'),
    workerFailures: counter(
      'nesgd_worker_failures_total',
      'Jobs that went back to the queue from it.',
      'run',
      'worker',
    ),
  };
}

function measureRun(metrics: Metrics, listed: HealthyRun, follower: RunFollower): void {
  const run = listed.runId;
  measureJournal(metrics, run, follower);
  metrics.running.set({ run }, listed.state === 'running' ? 1 : 0);
  metrics.generation.set({ run }, listed.generation ?? -1);
  if (listed.generations !== null) metrics.generations.set({ run }, listed.generations);
  metrics.lastFact.set({ run }, Date.parse(listed.lastFactAt) / 1000);
  if (listed.alphaAccuracy !== null) metrics.alpha.set({ run }, listed.alphaAccuracy);
  if (listed.bestAccuracy !== null) metrics.best.set({ run }, listed.bestAccuracy);

  const { live, state } = follower.pulse;
  if (!live) return;
  const { waiting, active, done, retried } = live.jobs;
  for (const [name, count] of Object.entries({ waiting, active, done })) metrics.jobs.set({ run, state: name }, count);
  metrics.retries.inc({ run }, retried);
  for (const { name: worker, imagesPerSecond, memoryBytes, lastHeardAt, failures } of live.workers) {
    metrics.workerUp.set({ run, worker }, state === 'running' ? 1 : 0);
    metrics.workerHeard.set({ run, worker }, Date.parse(lastHeardAt) / 1000);
    metrics.workerFailures.inc({ run, worker }, failures);
    if (memoryBytes !== null) metrics.workerMemory.set({ run, worker }, memoryBytes);
    if (imagesPerSecond !== null) metrics.workerSpeed.set({ run, worker }, imagesPerSecond);
  }
}

function measureJournal(metrics: Metrics, run: string, { figures }: RunFollower): void {
  const { opened, evaluated, failed, imagesTrained, nabla, secondsCounts, secondsSum } = figures;
  metrics.evaluated.inc({ run }, evaluated);
  metrics.failed.inc({ run }, failed);
  metrics.images.inc({ run }, imagesTrained);
  metrics.seconds.count(run, secondsCounts, secondsSum);
  if (nabla !== null) metrics.nabla.set({ run }, nabla);
  if (!opened) return;
  const { name: experiment, model, dataset } = opened.experiment;
  metrics.info.set({ run, experiment, model: model.name, dataset: dataset.name, engine: opened.runtime.engine }, 1);
}

/** What the broker says itself, of all runs that use it. */
async function measureBroker(registry: Registry, { queue, ping }: WatchedQueue): Promise<void> {
  const registers = [registry];
  const up = new Gauge({ name: 'nesgd_broker_up', help: '1 while the broker answers.', registers });
  const seconds = await ping();
  up.set(seconds === undefined ? 0 : 1);
  if (seconds === undefined) return;
  new Gauge({ name: 'nesgd_broker_ping_seconds', help: 'A round trip to the broker.', registers }).set(seconds);
  const jobs = new Gauge({
    name: 'nesgd_queue_jobs',
    help: 'Jobs on the queue by state, of all runs.',
    labelNames: ['state'],
    registers,
  });
  const counts = await queue.getJobCounts('waiting', 'active', 'delayed', 'prioritized', 'failed').catch(() => ({}));
  for (const [state, count] of Object.entries(counts)) jobs.set({ state }, count);
}
