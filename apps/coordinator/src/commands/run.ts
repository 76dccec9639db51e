import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { InputError } from '@nesgd/core/errors';
import type { CardPlace } from '@nesgd/core/machine';
import { searchesMasks } from '@nesgd/core/methods';
import { modelSpec } from '@nesgd/core/models';
import { meansOf } from '@nesgd/core/protocol';
import {
  checkNewRun,
  checkRunId,
  createRun,
  type Experiment,
  listRuns,
  loadExperiment,
  newRunId,
  openRun,
  type RunFolder,
  readRun,
  retryGivenUp,
  withFlag,
} from '@nesgd/core/run';
import { cacheFolder, checkCacheFolder, SnapshotStore } from '@nesgd/core/storage';
import { inSpan, RUN_SPAN } from '@nesgd/core/tracing';
import { hangTimeoutMs, snapshotEpochs } from '@nesgd/core/trainer';
import { withoutPassword } from '../broker.js';
import { chooseRuntime } from '../choose-runtime.js';
import { conductRun, summarise } from '../conduct-run.js';
import { RunControl } from '../control/run-control.js';
import { type Crew, hire } from '../crew.js';
import { clearingSnapshots } from '../dispatch/clearing-snapshots.js';
import { notingProcessors } from '../dispatch/noting-processors.js';
import { traced } from '../dispatch/traced.js';
import { plural } from '../display/format.js';
import { notingDivergence, refuseDiverged } from '../divergence.js';
import { overridesFrom } from '../overrides.js';
import { type Prepared, prepareRun } from '../prepare-run.js';
import type { RunSummary } from '../run-events.js';
import { staffFor } from '../staff-for.js';
import { workersFor } from '../workers-for.js';
import { workloadOf } from '../workload.js';
import { type Access, joinAdvice, listenFrom, type Surroundings, withBroker } from './access.js';
import { refuseResting } from './resting.js';

export interface RunOptions {
  readonly set: readonly string[];
  readonly data?: string;
  readonly workers?: number;
  readonly workersPerDevice?: number;
  readonly engine: string;
  readonly device?: string;
  readonly broker: string;
  readonly attempts: number;
  readonly listen?: string;
  readonly runId?: string;
  readonly orResume?: true;
  /** Of this run's jobs among those of others that share its workers. */
  readonly priority?: number;
  readonly runs: string;
}

export type ResumeOptions = Pick<
  RunOptions,
  'workers' | 'workersPerDevice' | 'broker' | 'attempts' | 'listen' | 'priority' | 'runs'
>;

/** `nesgd run FILE`. @throws InputError (exit 2), the signal's reason (exit 130), another NesgdError (exit 1). */
export async function run(file: string, options: RunOptions, around: Surroundings): Promise<RunSummary> {
  const started = performance.now();
  const listen = listenFrom(options, around.config);
  const overrides = overridesFrom(options);
  const experiment = await loadExperiment(file, overrides);
  const runId = options.runId ?? newRunId(experiment.name, new Date());
  const earlier = options.orResume && (await runToResume(experiment, options));
  if (earlier) {
    // An order that came after the end changes nothing.
    if (!earlier.lines.some(({ fact }) => fact.type === 'finished')) await refuseResting(options.runs, runId);
    return resume(runId, options, around);
  }
  await checkNewRun(options.runs, runId);
  const { config, watch, signal } = around;
  const cache = cacheFolder(config.cacheRoot);
  await checkCacheFolder(cache);
  const { engine, workers } = options;
  const runtime = await chooseRuntime({ ...experiment.runtime, engine, workers }, config, watch);
  return withBroker({ ...options, listen }, around, async (access) => {
    const prepared = await prepareRun(experiment, { runId, runtime, cache, watch, signal }).catch((error) => {
      throw withFlag(error, overrides);
    });
    signal.throwIfAborted();
    const folder = await createRun(options.runs, prepared.opened);
    try {
      return await workOn(folder, prepared.counts, access, { ...options, resumed: false, started }, around);
    } finally {
      await folder.close();
    }
  });
}

/**
 * The run that `--run-id` names, if it is there already.
 * @throws InputError where it is a run of another experiment, which one name cannot stand for.
 */
async function runToResume(
  experiment: Experiment,
  { runId, runs }: RunOptions,
): Promise<Awaited<ReturnType<typeof readRun>> | undefined> {
  if (runId === undefined) {
    throw new InputError('OR_RESUME_FLAG', '--or-resume: say by --run-id which run to go on with where it exists');
  }
  if (!(await listRuns(runs)).includes(checkRunId(runId))) return undefined;
  const earlier = await readRun(runs, runId);
  if (isDeepStrictEqual(earlier.opened.experiment, JSON.parse(JSON.stringify(experiment)))) return earlier;
  throw new InputError(
    'RUN_EXISTS',
    `run ${runId} is of another experiment than this (${join(runs, runId, 'experiment.yaml')} is its own): give another --run-id`,
  );
}

/** `nesgd resume RUN_ID`: from wherever the journal stands; a finished run only says its result again. */
export async function resume(runId: string, options: ResumeOptions, around: Surroundings): Promise<RunSummary> {
  const started = performance.now();
  const { config, watch, signal } = around;
  const listen = listenFrom(options, config);
  const folder = await openRun(options.runs, runId);
  try {
    const { experiment, runtime } = folder.opened;
    const facts = folder.journal.lines.map((line) => line.fact);
    const finished = facts.find((fact) => fact.type === 'finished');
    if (finished) {
      const summary = summarise(folder, finished, 0, 0);
      watch({ type: 'finished', summary, folder: folder.path });
      return summary;
    }
    refuseDiverged(folder);
    await checkCacheFolder(cacheFolder(config.cacheRoot));
    await chooseRuntime({ ...runtime, ...meansOf(runtime), workers: options.workers }, config, watch);
    return await withBroker({ ...options, listen }, around, async (access) => {
      const cache = cacheFolder(config.cacheRoot);
      const hasAlpha = facts.some((fact) => fact.type === 'alpha');
      const prepared = await prepareRun(experiment, { runId, runtime, cache, watch, signal, hasAlpha });
      assertSameData(experiment, folder, prepared);
      return workOn(folder, prepared.counts, access, { ...options, resumed: true, started }, around);
    });
  } finally {
    await folder.close();
  }
}

/** `nesgd retry RUN_ID`. @throws InputError where nothing was given up, or the run goes on. */
export async function retry(runId: string, options: ResumeOptions, around: Surroundings): Promise<RunSummary> {
  const count = await retryGivenUp(options.runs, runId);
  around.watch({ type: 'notice', text: `${plural(count, 'individual')} of run ${runId}: another chance` });
  return resume(runId, options, around);
}

export function assertSameData(experiment: Experiment, folder: RunFolder, prepared: Prepared): void {
  if (prepared.opened.data.dataset === folder.opened.data.dataset) return;
  throw new InputError(
    'DATA_CHANGED',
    `run ${folder.id} was started on other data: dataset ${experiment.dataset.name}${experiment.dataset.path ? ` (${experiment.dataset.path})` : ''} has changed since; restore it or start a new run`,
  );
}

/** Conducts a run from wherever it stands. @param options.crew who works for it; without one, workers are hired for it alone. */
export async function workOn(
  folder: RunFolder,
  counts: Prepared['counts'],
  access: Access,
  options: {
    readonly workers?: number;
    readonly workersPerDevice?: number;
    readonly attempts: number;
    readonly priority?: number;
    readonly resumed: boolean;
    readonly started: number;
    readonly crew?: Crew;
  },
  around: Surroundings,
): Promise<RunSummary> {
  const { config, watch, signal } = around;
  const { broker, artifacts } = access;
  const { experiment, runtime, blocks } = folder.opened;
  const spec = modelSpec(experiment.model.name, folder.opened.imageShape, folder.opened.classNames.length);
  const { workersPerDevice = experiment.runtime.workersPerDevice } = options;
  const { workers, places } = staffFor(runtime, { ...options, workersPerDevice }, config.env, () =>
    workersFor({ experiment, runtime, spec, trainImages: counts.train }, watch),
  );
  const { atOnce, rounds, epochsOfOne } = workloadOf(experiment, counts.train);
  watch({
    type: 'opened',
    run: {
      runId: folder.id,
      folder: folder.path,
      resumed: options.resumed,
      experiment: experiment.name,
      method: experiment.method.name,
      dataset: experiment.dataset.name,
      trainImages: counts.train,
      validationImages: counts.validation,
      testImages: counts.test,
      model: experiment.model.name,
      blocks: blocks.length,
      engine: runtime.engine,
      threads: runtime.threads,
      ...(runtime.device && { device: runtime.device }),
      workers,
      broker: broker.kind === 'queue' ? withoutPassword(broker.url) : 'local',
      populationSize: atOnce,
      generations: searchesMasks(experiment.method.name) ? rounds - 1 : rounds, // Masks are drawn in a generation 0.
      retrainEpochs: epochsOfOne,
    },
  });
  const hired =
    options.crew ??
    (await hireFor(access, {
      runIds: [folder.id],
      workers,
      places,
      attempts: options.attempts,
      logFolder: join(folder.path, 'logs'),
      around,
    }));
  const givenUp = AbortSignal.any([signal, hired.lost]);
  setMaxListeners(0, givenUp); // Each job of a generation listens to it.
  let control: RunControl | undefined;
  const cache = cacheFolder(config.cacheRoot);
  try {
    await new SnapshotStore(cache).sweep().catch(() => {}); // What stays takes room and harms nothing.
    const { dispatcher } = hired;
    control = await RunControl.start({
      run: folder,
      crew: hired,
      priority: options.priority,
      stop: around.stop,
      watch,
    });
    const span = { 'nesgd.run': folder.id, 'nesgd.experiment': experiment.name, 'nesgd.resumed': options.resumed };
    const clearing = clearingSnapshots(artifacts?.serving(dispatcher, folder.opened) ?? dispatcher, cache);
    const conduct = () =>
      conductRun({
        run: folder,
        dispatcher: traced(notingProcessors(clearing, folder.journal.lines, watch)),
        cache,
        trainImages: counts.train,
        watch,
        signal: givenUp,
      });
    const finished = await notingDivergence(folder, () => inSpan(RUN_SPAN, span, conduct));
    const summary = summarise(folder, finished, workers, (performance.now() - options.started) / 1000);
    watch({ type: 'finished', summary, folder: folder.path });
    return summary;
  } finally {
    await control?.close();
    if (!options.crew) await hired.dismiss();
  }
}

/** The dispatcher and the workers of this machine. @param options.runIds the runs that they are for. */
export function hireFor(
  access: Access,
  options: {
    readonly runIds: readonly string[];
    readonly workers: number;
    readonly places: readonly CardPlace[];
    readonly attempts: number;
    readonly logFolder: string;
    readonly around: Surroundings;
  },
): Promise<Crew> {
  const { runIds, workers, places, attempts, logFolder, around } = options;
  const { config, watch } = around;
  return hire(access.broker, {
    runIds,
    workers,
    places,
    cacheRoot: config.cacheRoot,
    logFolder,
    watch,
    joinAdvice: joinAdvice(access),
    tolerance: { hangTimeoutMs: hangTimeoutMs(config.env), snapshotEpochs: snapshotEpochs(config.env), attempts },
  });
}
