import { writeFile } from 'node:fs/promises';
import { ExperimentError, type ExperimentFault } from '@nesgd/core/errors';
import {
  checkNewRun,
  type Experiment,
  experimentFromText,
  flagAtFault,
  flagsOf,
  newRunId,
  readRun,
  runHolder,
  runPath,
  withLines,
} from '@nesgd/core/run';
import { type ControlledRun, runState, type StartedRun } from '@nesgd/core/view';
import { controlRun, RunStateError } from './control-run.js';
import { readControlState } from './control-state.js';
import { launch, startedPath } from './launch.js';
import { readWorkers } from './worker-register.js';
import type { WorkerSources } from './workers.js';

export interface StartRequest {
  /** YAML. */
  readonly experiment: string;
  /** As `--set`. */
  readonly set: readonly string[];
  readonly runId?: string | undefined;
  readonly priority?: number | undefined;
  readonly workers?: number | undefined;
}

/** Starts a run from an experiment's text. @throws ExperimentError, InputError; NesgdError where its process fails. */
export async function startRun(sources: WorkerSources, request: StartRequest): Promise<StartedRun> {
  const { runsFolder } = sources;
  const experiment = experimentOf(request);
  const runId = request.runId ?? newRunId(experiment.name, new Date());
  const { set, priority, workers } = request;
  const state = await launch(runsFolder, runId, async () => {
    await checkNewRun(runsFolder, runId);
    const file = await startedPath(runsFolder, runId, 'yaml');
    await writeFile(file, request.experiment);
    const options = [
      ...set.flatMap((assignment) => ['--set', assignment]),
      ...(priority === undefined ? [] : ['--priority', String(priority)]),
      ...(workers === undefined ? await workersFlag(sources) : ['--workers', String(workers)]),
    ];
    return ['run', file, '--run-id', runId, ...options];
  });
  return { runId, state };
}

/** @throws ExperimentError with the lines of its faults; InputError. */
function experimentOf({ experiment: text, set }: StartRequest): Experiment {
  try {
    const experiment = experimentFromText(text, 'the experiment', { set });
    const faults = namedFiles(experiment, set);
    if (faults.length > 0) throw new ExperimentError(faults.map((fault) => fault.text).join('\n'), faults);
    return experiment;
  } catch (error) {
    if (!(error instanceof ExperimentError)) throw error;
    throw new ExperimentError(error.message, withLines(text, error.faults));
  }
}

/** Whoever may start runs over HTTP is not thereby a user of this machine. */
function namedFiles({ dataset, alpha }: Experiment, set: readonly string[]): ExperimentFault[] {
  const keys = [...(dataset.path === undefined ? [] : ['dataset.path']), ...('from' in alpha ? ['alpha.from'] : [])];
  return keys.map((key) => {
    const text = `${key}: names a file of this machine, which only its own users may: leave it out (data sets come from "nesgd data fetch"), or start the run by "nesgd run"`;
    return { key, text, flag: flagAtFault(flagsOf({ set }), { key, text })?.text };
  });
}

/** A paused run goes on; a stopped one in a process of its own. @throws RunStateError where it is neither. */
export async function resumeRun(sources: WorkerSources, runId: string): Promise<ControlledRun> {
  const { runsFolder } = sources;
  if (await runHolder(runsFolder, runId)) return controlRun(runsFolder, runId, { type: 'resume' });
  const { state } = await standingOf(runsFolder, runId);
  if (state !== 'stopped') throw new RunStateError(`run ${runId} is ${state}: there is nothing to go on with`);
  return goOn(sources, runId, 'resume', `run ${runId} goes on`);
}

/** @throws RunStateError where the run goes on; InputError where nothing was given up. */
export async function retryRun(sources: WorkerSources, runId: string): Promise<ControlledRun> {
  const { runsFolder } = sources;
  if (await runHolder(runsFolder, runId)) throw new RunStateError(`run ${runId} goes on: stop it first, then retry`);
  const { givenUp } = await standingOf(runsFolder, runId);
  if (givenUp === 0) throw new RunStateError(`run ${runId} has nothing to retry: none of its individuals was given up`);
  return goOn(sources, runId, 'retry', `run ${runId} goes on from where the first individual was given up`);
}

async function goOn(
  sources: WorkerSources,
  runId: string,
  command: 'resume' | 'retry',
  message: string,
): Promise<ControlledRun> {
  const { runsFolder } = sources;
  const launched = await launch(runsFolder, runId, async () => [command, runId, ...(await workersFlag(sources))]);
  const state = launched === 'running' ? launched : (await standingOf(runsFolder, runId)).state;
  const { paused, priority } = await readControlState(runPath(runsFolder, runId));
  return { runId, state, paused, priority, message };
}

/** Where workers wait on the broker that runs share, a run lives on them: more of them here would take their cores. */
async function workersFlag({ connection }: WorkerSources): Promise<string[]> {
  if (!connection) return [];
  const workers = await readWorkers(connection).catch(() => []);
  return workers.some(({ state, ofRun }) => !ofRun && state !== 'draining' && state !== 'drained')
    ? ['--workers', '0']
    : [];
}

/** Of a run that nobody works on. It parses the whole journal. */
async function standingOf(runsFolder: string, runId: string) {
  const facts = (await readRun(runsFolder, runId)).lines.map(({ fact }) => fact);
  return { state: runState(facts, false), givenUp: facts.filter(({ type }) => type === 'failed').length };
}
