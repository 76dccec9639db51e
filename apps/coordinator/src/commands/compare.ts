import { join, resolve } from 'node:path';
import { InputError } from '@nesgd/core/errors';
import { createRun, type Experiment, listRuns, loadExperiment, openRun, type RunFolder } from '@nesgd/core/run';
import { cacheFolder } from '@nesgd/core/storage';
import { recommendedWorkers } from '@nesgd/core/trainer';
import { chooseRuntime } from '../choose-runtime.js';
import { type ComparedRun, type Comparison, comparisonOf } from '../compare/comparison.js';
import { type Contender, comparedRunId, contendersOf } from '../compare/contenders.js';
import type { Crew } from '../crew.js';
import { formatAccuracy, formatCount } from '../display/format.js';
import type { Line } from '../display/line.js';
import { tableLines } from '../display/table-lines.js';
import { prepareRun } from '../prepare-run.js';
import {
  type Access,
  assertSameData,
  hireFor,
  listenFrom,
  type RunOptions,
  type Surroundings,
  withBroker,
  workOn,
} from './run.js';

export interface CompareOptions extends Omit<RunOptions, 'runId'> {
  readonly seeds: number;
  readonly budget: number;
  readonly methods?: string;
}

/**
 * `nesgd compare FILE...`: every contender spends the same budget, over the same seeds, one run each. Runs that a former
 * call finished or began are taken from their folders, so the same call again goes on.
 * @throws as `run`.
 */
export async function compare(
  files: readonly string[],
  options: CompareOptions,
  around: Surroundings,
): Promise<Comparison> {
  const { config, watch } = around;
  const listen = listenFrom(options, config);
  const overrides = { set: options.set, ...(options.data !== undefined && { dataPath: options.data }) };
  const experiments: Experiment[] = [];
  for (const file of files) experiments.push(await loadExperiment(file, overrides));
  const contenders = contendersOf(experiments, options.methods, options.budget);
  const wanted = experiments[0]!.runtime;
  for (const key of ['threads', 'precision'] as const) {
    if (experiments.every((experiment) => experiment.runtime[key] === wanted[key])) continue;
    throw new InputError(
      'COMPARE',
      `the experiments differ in runtime.${key}, but share their workers: give all the same`,
    );
  }
  const runtime = chooseRuntime({ ...wanted, engine: options.engine }, config.cacheRoot, watch);
  // Seed by seed, so that what is there so far is a comparison of all.
  const planned = Array.from({ length: options.seeds }, (_, i) => i).flatMap((i) =>
    contenders.map(({ name, experiment }): Contender & { runId: string } => {
      const seeded = { name, experiment: { ...experiment, seed: experiment.seed + i } };
      return { ...seeded, runId: comparedRunId(seeded, runtime) };
    }),
  );
  return withBroker({ ...options, listen }, around, async (access) => {
    const crew = await hireFor(access, {
      runIds: planned.map(({ runId }) => runId),
      workers: options.workers ?? recommendedWorkers(wanted).workers,
      attempts: options.attempts,
      logFolder: join(resolve(options.runs), '.compare-logs'),
      around,
    });
    try {
      const runs: ComparedRun[] = [];
      for (const [i, { name, experiment, runId }] of planned.entries()) {
        watch({ type: 'notice', text: `run ${i + 1} of ${planned.length}: ${name}, seed ${experiment.seed}` });
        const folder = await folderOf(experiment, runId, runtime, options, around);
        try {
          await finish(folder, access, crew, options, around);
          runs.push({ contender: name, runId, facts: folder.journal.lines.map(({ fact }) => fact) });
        } finally {
          await folder.close();
        }
      }
      return comparisonOf(runs, options.budget);
    } finally {
      await crew.dismiss();
    }
  });
}

/** The run as an earlier call left it, or a new one. */
async function folderOf(
  experiment: Experiment,
  runId: string,
  runtime: Awaited<ReturnType<typeof chooseRuntime>>,
  { runs }: CompareOptions,
  { config, watch, signal }: Surroundings,
): Promise<RunFolder> {
  if ((await listRuns(runs)).includes(runId)) return openRun(runs, runId);
  const cache = cacheFolder(config.cacheRoot);
  const prepared = await prepareRun(experiment, { runId, runtime, cache, watch, signal });
  signal.throwIfAborted();
  return createRun(runs, prepared.opened);
}

async function finish(
  folder: RunFolder,
  access: Access,
  crew: Crew,
  options: CompareOptions,
  around: Surroundings,
): Promise<void> {
  const facts = folder.journal.lines.map(({ fact }) => fact);
  if (facts.some(({ type }) => type === 'finished')) return;
  const { experiment, runtime } = folder.opened;
  const { config, watch, signal } = around;
  const prepared = await prepareRun(experiment, {
    runId: folder.id,
    runtime,
    cache: cacheFolder(config.cacheRoot),
    watch,
    signal,
    hasAlpha: facts.some(({ type }) => type === 'alpha'),
  });
  assertSameData(experiment, folder, prepared);
  const resumed = facts.length > 1;
  await workOn(folder, prepared.counts, access, { ...options, resumed, started: performance.now(), crew }, around);
}

/** The same for people. */
export function comparisonLines({ methods, pairs }: Comparison): Line[] {
  const interval = ({ low, high }: { low: number; high: number }, format: (value: number) => string) =>
    `${format(low)} to ${format(high)}`;
  const points = (value: number) => `${value < 0 ? '' : '+'}${value.toFixed(4)}`;
  return [
    ...tableLines(
      ['method', 'seeds', 'images seen', 'validation', '95 %', 'test', '95 %'],
      methods.map(({ name, seeds, imagesSeen, validationAccuracy, testAccuracy }) => [
        name,
        String(seeds),
        formatCount(Math.round(imagesSeen)),
        ...[validationAccuracy, testAccuracy].flatMap((of) => [formatAccuracy(of.mean), interval(of, formatAccuracy)]),
      ]),
      'left',
    ),
    [],
    ...tableLines(
      ['test accuracy of', 'less that of', 'difference', '95 %', 'p'],
      pairs.map((pair) => [pair.a, pair.b, points(pair.difference), interval(pair, points), pair.p.toPrecision(3)]),
      'left',
    ),
  ];
}
