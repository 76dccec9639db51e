import { join, resolve } from 'node:path';
import { InputError, NesgdError } from '@nesgd/core/errors';
import type { Runtime } from '@nesgd/core/protocol';
import {
  createRun,
  type Experiment,
  listRuns,
  loadExperiment,
  openRun,
  type RunFolder,
  readRun,
} from '@nesgd/core/run';
import { cacheFolder } from '@nesgd/core/storage';
import { recommendedWorkers } from '@nesgd/core/trainer';
import { chooseRuntime } from '../choose-runtime.js';
import { type Comparison, comparisonOf } from '../compare/comparison.js';
import { formatReach } from '../compare/comparison-tables.js';
import { type Contender, comparedRunId, contendersOf, earlierRunId } from '../compare/contenders.js';
import { type AttemptedRun, wholeSeeds } from '../compare/whole-seeds.js';
import type { Crew } from '../crew.js';
import { formatAccuracy, formatCount } from '../display/format.js';
import type { Line } from '../display/line.js';
import { tableLines } from '../display/table-lines.js';
import { isDivergence, refuseDiverged } from '../divergence.js';
import { overridesFrom } from '../overrides.js';
import { prepareRun } from '../prepare-run.js';
import { staffFor } from '../staff-for.js';
import { type Access, listenFrom, type Surroundings, withBroker } from './access.js';
import { assertSameData, hireFor, type RunOptions, workOn } from './run.js';

export interface CompareOptions extends Omit<RunOptions, 'runId'> {
  readonly seeds: number;
  readonly budget: number;
  readonly methods?: string;
  /** Train nothing: compare the seeds of which every contender's run is finished. */
  readonly soFar?: true;
  /** Files to write beside what is printed. */
  readonly markdown?: string;
  readonly svg?: string;
}

interface PlannedRun extends Contender {
  readonly runId: string;
}

/**
 * `nesgd compare FILE...`: every contender spends the same budget, over the same seeds, one run each. Runs that a former
 * call finished or began are taken from their folders, so the same call again goes on. One that diverged ends alone, and
 * is not trained again.
 * @throws as `run`.
 */
export async function compare(
  files: readonly string[],
  options: CompareOptions,
  around: Surroundings,
): Promise<Comparison> {
  const { config, watch } = around;
  const listen = listenFrom(options, config);
  const overrides = overridesFrom(options);
  const experiments: Experiment[] = [];
  for (const file of files) experiments.push(await loadExperiment(file, overrides));
  const contenders = contendersOf(experiments, options.methods, options.budget);
  const wanted = experiments[0]!.runtime;
  for (const key of ['threads', 'precision', 'device', 'workersPerDevice'] as const) {
    if (experiments.every((experiment) => experiment.runtime[key] === wanted[key])) continue;
    throw new InputError(
      'COMPARE',
      `the experiments differ in runtime.${key}, but share their workers: give all the same`,
    );
  }
  const seed = experiments[0]!.seed;
  const other = experiments.find((experiment) => experiment.seed !== seed);
  if (other) {
    throw new InputError(
      'COMPARE',
      `${experiments[0]!.name} has seed ${seed} and ${other.name} seed ${other.seed}, but pairs are made by seed: give all the same, as by --set seed=${seed}`,
    );
  }
  const { engine, workers } = options;
  const runtime = await chooseRuntime({ ...wanted, engine, workers }, config, watch);
  // Seed by seed, so that what is there so far is a comparison of all.
  const runIds = await listRuns(options.runs);
  const planned = Array.from({ length: options.seeds }, (_, i) => i).flatMap((i) =>
    contenders.map(({ name, experiment }): PlannedRun => {
      const seeded = { name, experiment: { ...experiment, seed: experiment.seed + i } };
      return { ...seeded, runId: earlierRunId(runIds, seeded, runtime) ?? comparedRunId(seeded, runtime) };
    }),
  );
  const attempts = options.soFar
    ? await readAll(planned, options.runs)
    : await trainAll(planned, { runtime, listen }, options, around);
  const { runs, notes } = wholeSeeds(attempts);
  if (runs.length === 0) throw nothingToCompare(contenders.length, notes, options);
  const comparison = comparisonOf(runs, options.budget, notes);
  if (options.markdown !== undefined || options.svg !== undefined) {
    // Only here: drawing takes libraries that no other command of a run wants to load.
    const { writeComparison } = await import('../compare/write-comparison.js');
    await writeComparison(comparison, options);
  }
  return comparison;
}

async function trainAll(
  planned: readonly PlannedRun[],
  { runtime, listen }: { readonly runtime: Runtime; readonly listen: ReturnType<typeof listenFrom> },
  options: CompareOptions,
  around: Surroundings,
): Promise<AttemptedRun[]> {
  const { watch } = around;
  const { workersPerDevice = planned[0]?.experiment.runtime.workersPerDevice } = options;
  const staff = staffFor(
    runtime,
    { ...options, workersPerDevice },
    around.config.env,
    () => recommendedWorkers({ threads: runtime.threads }).workers,
  );
  return withBroker({ ...options, listen }, around, async (access) => {
    const crew = await hireFor(access, {
      runIds: planned.map(({ runId }) => runId),
      ...staff,
      attempts: options.attempts,
      logFolder: join(resolve(options.runs), '.compare-logs'),
      around,
    });
    try {
      const runs: AttemptedRun[] = [];
      for (const [i, { name, experiment, runId }] of planned.entries()) {
        watch({ type: 'notice', text: `run ${i + 1} of ${planned.length}: ${name}, seed ${experiment.seed}` });
        const folder = await folderOf(experiment, runId, runtime, options, around);
        try {
          await finish(folder, access, crew, { ...options, workers: staff.workers }, around).catch((error) => {
            if (!isDivergence(error)) throw error;
            watch({ type: 'notice', text: `${name}, seed ${experiment.seed}: ${error.message}; the others go on` });
          });
          const facts = folder.journal.lines.map(({ fact }) => fact);
          runs.push({ contender: name, seed: experiment.seed, runId, facts });
        } finally {
          await folder.close();
        }
      }
      return runs;
    } finally {
      await crew.dismiss();
    }
  });
}

/** All planned runs as they are in their folders. */
async function readAll(planned: readonly PlannedRun[], runsFolder: string): Promise<AttemptedRun[]> {
  const there = new Set(await listRuns(runsFolder));
  return Promise.all(
    planned.map(async ({ name, experiment, runId }) => {
      const { lines } = there.has(runId) ? await readRun(runsFolder, runId) : { lines: [] };
      return { contender: name, seed: experiment.seed, runId, facts: lines.map(({ fact }) => fact) };
    }),
  );
}

function nothingToCompare(contenders: number, notes: readonly string[], { runs, soFar }: CompareOptions): NesgdError {
  const seed = `there is no seed that every one of the ${contenders} methods has finished`;
  if (!soFar) return new NesgdError('ALL_DIVERGED', `${seed}: ${notes.join('; ')}`);
  return new InputError('COMPARE', [`${runs}: ${seed}; without --so-far they are trained`, ...notes].join('. '));
}

/** The run as an earlier call left it, or a new one. */
async function folderOf(
  experiment: Experiment,
  runId: string,
  runtime: Runtime,
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
  refuseDiverged(folder);
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
export function comparisonLines({ methods, pairs, reach, notes }: Comparison): Line[] {
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
    [],
    ...tableLines(
      [`images to reach what ${methods[0]!.name} ends with`, 'part of the budget', '95 %'],
      reach
        .filter(({ b }) => b === methods[0]!.name)
        .map((of) => [of.a, formatReach(of.ratio), `${formatReach(of.low)} to ${formatReach(of.high)}`]),
      'left',
    ),
    ...notes.flatMap((note): Line[] => [[], [note]]),
  ];
}
