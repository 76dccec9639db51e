import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RunFolder } from '@nesgd/core/run';
import { Hono } from 'hono';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { liveFile } from '../live/live-file.js';
import { RunReader } from '../reading/run-reader.js';
import { evaluated, newRun } from './example-run.fixture.js';
import { addMetrics } from './metrics.js';
import { RunFollowers } from './run-followers.js';

const MONITORING = fileURLToPath(new URL('../../../../infra/monitoring/', import.meta.url));

let runs: string;
let run: RunFolder;
let app: Hono;
let reader: RunReader;

beforeEach(async () => {
  runs = await mkdtemp(join(tmpdir(), 'nesgd-metrics-'));
  run = await newRun(runs, 'measured');
  app = new Hono();
  reader = new RunReader(runs);
  addMetrics(app, new RunFollowers(reader));
});
afterEach(async () => {
  await reader.close();
  await run.close();
  await rm(runs, { recursive: true });
});

const scrape = async () => (await app.request('/metrics')).text();

/** A run of two workers, one of whom lost a job. */
async function work(): Promise<void> {
  const live = liveFile();
  const job = (text: string) => ({ id: text, text });
  live.watch({
    type: 'opened',
    run: {
      runId: 'measured',
      folder: run.path,
      resumed: false,
      experiment: 'example',
      method: 'ne-sgd',
      dataset: 'mnist',
      trainImages: 1,
      validationImages: 1,
      testImages: 1,
      model: 'resnet8',
      blocks: 2,
      engine: 'wasm',
      threads: 1,
      workers: 2,
      broker: 'local',
      populationSize: 2,
      generations: 1,
    },
  });
  live.watch({ type: 'phase', phase: { name: 'generation', t: 0, of: 1 }, total: 2, answered: 0 });
  const progress = { epoch: 1, epochs: 2, trainLoss: 1, accuracy: 0.5, imagesPerSecond: 250, memoryBytes: 9_000 };
  live.watch({ type: 'job-started', job: job('01'), worker: 'b' });
  live.watch({ type: 'job-retried', job: job('01'), reason: 'b died' });
  live.watch({ type: 'job-progress', job: job('10'), worker: 'a', progress });
  await live.close();
  const provenance = { worker: 'a', engine: 'wasm', seconds: 12 };
  await run.journal.append(evaluated('10', 0.5), { provenance });
  await run.journal.append({ type: 'failed', mask: '01', repeat: 0 }, { reason: 'it died' });
}

it('metrics: are those of journal and live file', async () => {
  await work();
  const lines = (await scrape()).split('\n');
  for (const line of [
    'nesgd_runs{state="running"} 1',
    'nesgd_run_info{run="measured",experiment="example",model="resnet8",dataset="mnist",engine="wasm"} 1',
    'nesgd_run_best_accuracy_ratio{run="measured"} 0.5',
    'nesgd_run_generation{run="measured"} -1',
    'nesgd_individuals_evaluated_total{run="measured"} 1',
    'nesgd_individuals_failed_total{run="measured"} 1',
    'nesgd_evaluation_seconds_sum{run="measured"} 12',
    'nesgd_jobs{run="measured",state="active"} 1',
    'nesgd_jobs{run="measured",state="waiting"} 1',
    'nesgd_job_retries_total{run="measured"} 1',
    'nesgd_worker_up{run="measured",worker="a"} 1',
    'nesgd_worker_images_per_second{run="measured",worker="a"} 250',
    'nesgd_trainer_resident_memory_bytes{run="measured",worker="a"} 9000',
    'nesgd_worker_failures_total{run="measured",worker="b"} 1',
  ])
    expect(lines).toContain(line);
});

it('metrics: memory of cards as nvidia-smi says, nothing where there is no card or it does not tell', async () => {
  const path = process.env.PATH;
  const bin = await mkdtemp(join(tmpdir(), 'nesgd-nvidia-smi-'));
  const say = (script: string) =>
    writeFile(join(bin, 'nvidia-smi'), `#!/bin/sh\n${script}\n`, { mode: 0o755 }).then(scrape);
  try {
    process.env.PATH = `${bin}:${path}`;
    const text = await say(
      "echo '0, GPU-8932f937, NVIDIA H100 80GB HBM3, 1024, 81559'; echo '1, GPU-8a56e4b0, NVIDIA \"T4\", [N/A], 16384'",
    );
    expect(text.match(/^nesgd_gpu_memory_used_bytes.*$/gm)).toEqual([
      'nesgd_gpu_memory_used_bytes{gpu="0",uuid="GPU-8932f937",name="NVIDIA H100 80GB HBM3"} 1073741824',
    ]);
    expect(text).toContain(
      String.raw`nesgd_gpu_memory_size_bytes{gpu="1",uuid="GPU-8a56e4b0",name="NVIDIA \"T4\""} 17179869184`,
    );
    expect(await say('echo "NVIDIA-SMI has failed" >&2; exit 9')).not.toContain('nesgd_gpu_memory');
    process.env.PATH = '/nowhere';
    expect(await scrape()).not.toContain('nesgd_gpu_memory');
  } finally {
    process.env.PATH = path;
    await rm(bin, { recursive: true });
  }
});

it('metrics: a scrape looks at the journal anew and adds nothing to what it said before', async () => {
  await work();
  const first = await scrape();
  expect(await scrape()).toBe(first);
});

it('metrics: alert rules and the Grafana dashboard name none that is not there', async () => {
  await work();
  const there = await scrape();
  const named = new Set<string>();
  for (const file of await readdir(MONITORING)) {
    const text = await readFile(join(MONITORING, file), 'utf8');
    for (const [name] of text.matchAll(/\bnesgd_[a-z_]+/g)) named.add(name);
  }
  expect(named.size).toBeGreaterThan(10);
  // Nothing closes a generation or measures alpha here.
  const missing = [...named].filter(
    (name) => !there.includes(`\n# TYPE ${name.replace(/_bucket$/, '')} `) && !there.startsWith(`# HELP ${name} `),
  );
  expect(missing).toEqual([]);
});
