import { setMaxListeners } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NesgdError } from '@nesgd/core/errors';
import { maskToString, suppress } from '@nesgd/core/evolution';
import { createRun, type GenerationFact, type RunFolder } from '@nesgd/core/run';
import { findBrokerBinary, startBroker } from '@nesgd/core/runtime';
import { cacheFolder } from '@nesgd/core/storage';
import { Redis } from 'ioredis';
import { conductRun } from '../conduct-run.js';
import type { CoordinatorConfig } from '../config.js';
import { QueueDispatcher } from '../dispatch/queue-dispatcher.js';
import type { RunEvent } from '../run-events.js';
import { simulatedRun } from '../simulate/simulated-run.js';
import { idealSeconds, simulatedTraining } from '../simulate/simulated-training.js';
import { WorkerHosts } from '../simulate/worker-hosts.js';

export interface SimulateOptions {
  readonly workers: number;
  readonly population: number;
  readonly generations: number;
  readonly failures: number;
  readonly jobSeconds: number;
  readonly bits: number;
  readonly seed: number;
}

/** Others script against the first seven keys. */
export interface SimulationReport {
  readonly jobs: number;
  /** From the first job of a generation to its closing, all generations together. */
  readonly makespanSeconds: number;
  /** The same jobs, in the same order, on as many workers without any overhead and without failures. */
  readonly idealSeconds: number;
  /** (makespan - ideal) / jobs. */
  readonly queueOverheadMsPerJob: number;
  readonly coordinatorRssMb: number;
  readonly brokerRssMb: number;
  /** Algorithm 2 on the last pool. */
  readonly suppressionMs: number;
  /** A job that waits while a worker is free: until it starts there. */
  readonly dispatchLatencyMs: { readonly median: number; readonly p99: number };
  /** Processor seconds that the coordinator used. */
  readonly coordinatorCpuSeconds: number;
  readonly journalMb: number;
  readonly failedAttempts: number;
}

const MB = 2 ** 20;

/**
 * `nesgd simulate`: the real coordinator, queue, broker and journal, with workers whose trainers only wait.
 * @throws NesgdError where there is no broker here; the signal's reason.
 */
export async function simulate(
  options: SimulateOptions,
  { config, signal, say }: { config: CoordinatorConfig; signal: AbortSignal; say: (text: string) => void },
): Promise<SimulationReport> {
  const binary = findBrokerBinary(config.cacheRoot, config.env);
  if (!binary)
    throw new NesgdError('BROKER_MISSING', 'a simulation wants a broker here: "npm run setup" provisions one');
  setMaxListeners(0, signal); // Each job of a generation listens to it.
  const folder = await mkdtemp(join(tmpdir(), 'nesgd-simulation-'));
  const broker = await startBroker(binary);
  const connection = new Redis(broker.url, { maxRetriesPerRequest: null });
  let run: RunFolder | undefined;
  let dispatcher: QueueDispatcher | undefined;
  let hosts: WorkerHosts | undefined;
  try {
    const cache = cacheFolder(join(folder, 'cache'));
    const weights = await cache.blobs.put(Buffer.from('what stands for all weights'));
    run = await createRun(
      join(folder, 'runs'),
      simulatedRun({ ...options, populationSize: options.population, blocks: options.bits }),
    );
    say(`starting ${options.workers} simulated workers`);
    hosts = await WorkerHosts.start(options.workers, { ...options, url: broker.url, weights });
    signal.throwIfAborted();
    dispatcher = await QueueDispatcher.connect({ connection, attempts: 100 });
    const clock = new Stopwatch(say);
    const cpuBefore = process.cpuUsage();
    await conductRun({ run, dispatcher, cache, trainImages: 1, signal, watch: clock.watch });
    const cpu = process.cpuUsage(cpuBefore);

    const generations = run.journal.lines.flatMap(({ fact }) => (fact.type === 'generation' ? [fact] : []));
    const idle = (await hosts.idleMs()).sort((a, b) => a - b);
    const jobs = run.journal.lines.filter(({ fact }) => fact.type === 'evaluated').length;
    const makespan = clock.seconds;
    const ideal = generations.reduce((sum, generation) => sum + idealOf(generation, options), 0);
    return {
      jobs,
      makespanSeconds: round(makespan, 3),
      idealSeconds: round(ideal, 3),
      queueOverheadMsPerJob: round((1000 * (makespan - ideal)) / jobs, 3),
      coordinatorRssMb: round(clock.peakRss / MB, 1),
      brokerRssMb: round((await memoryOf(connection)) / MB, 1),
      suppressionMs: round(suppressionMs(generations.at(-1)!), 1),
      dispatchLatencyMs: { median: percentile(idle, 0.5), p99: percentile(idle, 0.99) },
      coordinatorCpuSeconds: round((cpu.user + cpu.system) / 1e6, 2),
      journalMb: round((await stat(run.journal.path)).size / MB, 2),
      failedAttempts: clock.failedAttempts,
    };
  } finally {
    await hosts?.close();
    await dispatcher?.close();
    await run?.close();
    connection.disconnect();
    await broker.stop();
    await rm(folder, { recursive: true, force: true });
  }
}

/** Follows a run and adds up the time between the beginning and the closing of its generations. */
class Stopwatch {
  seconds = 0;
  peakRss = process.memoryUsage.rss();
  failedAttempts = 0;
  #begun = 0;

  constructor(private readonly say: (text: string) => void) {}

  readonly watch = (event: RunEvent): void => {
    if (event.type === 'phase' && event.phase.name === 'generation') this.#begun = performance.now();
    if (event.type === 'job-retried') this.failedAttempts += 1;
    if (event.type === 'job-done') this.peakRss = Math.max(this.peakRss, process.memoryUsage.rss());
    if (event.type !== 'generation-closed') return;
    const seconds = (performance.now() - this.#begun) / 1000;
    this.seconds += seconds;
    this.say(`generation ${event.t} closed after ${seconds.toFixed(1)} s`);
  };
}

function idealOf(generation: GenerationFact, { seed, jobSeconds, workers }: SimulateOptions): number {
  const born = generation.t === 0 ? generation.pool : generation.offspring;
  const masks = [...new Set(born.map(({ mask }) => maskToString(mask)))];
  return idealSeconds(
    masks.map((mask) => simulatedTraining(seed, mask, jobSeconds).seconds),
    workers,
  );
}

/** In generation 0 there is nothing to suppress among; the time of clustering its pool counts all the same. */
function suppressionMs({ pool, parents }: GenerationFact): number {
  const started = performance.now();
  suppress(pool, Math.min(parents.length, pool.length));
  return performance.now() - started;
}

async function memoryOf(connection: Redis): Promise<number> {
  return Number(/used_memory_rss:(\d+)/.exec(await connection.info('memory'))?.[1] ?? 0);
}

const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;

const round = (value: number, digits: number): number => Number(value.toFixed(digits));

export function simulationLines(report: SimulationReport): string {
  const { dispatchLatencyMs: latency, ...figures } = report;
  const rows = Object.entries({ ...figures, dispatchLatencyMs: `median ${latency.median}, p99 ${latency.p99}` });
  return rows.map(([key, value]) => `${key.padEnd(24)}${value}\n`).join('');
}
