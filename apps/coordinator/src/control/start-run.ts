import { writeFile } from 'node:fs/promises';
import { ExperimentError } from '@nesgd/core/errors';
import {
  checkNewRun,
  type Experiment,
  experimentFromText,
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

export interface StartRequest {
  /** YAML. */
  readonly experiment: string;
  readonly runId?: string | undefined;
  readonly priority?: number | undefined;
  readonly workers?: number | undefined;
}

/** Starts a run from an experiment's text. @throws ExperimentError, InputError; NesgdError where its process fails. */
export async function startRun(runsFolder: string, request: StartRequest): Promise<StartedRun> {
  const experiment = experimentOf(request.experiment);
  const runId = request.runId ?? newRunId(experiment.name, new Date());
  await checkNewRun(runsFolder, runId);
  const file = await startedPath(runsFolder, runId, 'yaml');
  await writeFile(file, request.experiment);
  const { priority, workers } = request;
  const state = await launch(runsFolder, runId, [
    'run',
    file,
    '--run-id',
    runId,
    ...(priority === undefined ? [] : ['--priority', String(priority)]),
    ...(workers === undefined ? [] : ['--workers', String(workers)]),
  ]);
  return { runId, state };
}

/** @throws ExperimentError with the lines of its faults; InputError. */
function experimentOf(text: string): Experiment {
  try {
    const experiment = experimentFromText(text, 'the experiment');
    const faults = [
      ...(experiment.dataset.path === undefined ? [] : ['dataset.path']),
      ...('from' in experiment.alpha ? ['alpha.from'] : []),
    ].map((key) => ({
      key,
      text: `${key}: names a file of this machine, which only its own users may: leave it out (data sets come from "nesgd data fetch"), or start the run by "nesgd run"`,
    }));
    if (faults.length > 0) throw new ExperimentError(faults.map((fault) => fault.text).join('\n'), faults);
    return experiment;
  } catch (error) {
    if (!(error instanceof ExperimentError)) throw error;
    throw new ExperimentError(error.message, withLines(text, error.faults));
  }
}

/** A paused run goes on; a stopped one in a process of its own. @throws RunStateError where it is neither. */
export async function resumeRun(runsFolder: string, runId: string): Promise<ControlledRun> {
  const { state } = await stateOf(runsFolder, runId);
  if (state === 'running') return controlRun(runsFolder, runId, { type: 'resume' });
  if (state !== 'stopped') throw new RunStateError(`run ${runId} is ${state}: there is nothing to go on with`);
  await launch(runsFolder, runId, ['resume', runId]);
  return said(runsFolder, runId, `run ${runId} goes on`);
}

/** @throws RunStateError where the run goes on; InputError where nothing was given up. */
export async function retryRun(runsFolder: string, runId: string): Promise<ControlledRun> {
  const { state, givenUp } = await stateOf(runsFolder, runId);
  if (state === 'running') throw new RunStateError(`run ${runId} goes on: stop it first, then retry`);
  if (givenUp === 0) throw new RunStateError(`run ${runId} has nothing to retry: none of its individuals was given up`);
  await launch(runsFolder, runId, ['retry', runId]);
  return said(runsFolder, runId, `run ${runId} goes on from where the first individual was given up`);
}

async function stateOf(runsFolder: string, runId: string) {
  // First the holder: a run that finishes in between has released it, and its journal says so.
  const holder = await runHolder(runsFolder, runId);
  const facts = (await readRun(runsFolder, runId)).lines.map(({ fact }) => fact);
  const givenUp = facts.filter(({ type }) => type === 'failed').length;
  return { state: holder ? ('running' as const) : runState(facts, false), givenUp };
}

async function said(runsFolder: string, runId: string, message: string): Promise<ControlledRun> {
  const { state } = await stateOf(runsFolder, runId);
  return { runId, state, ...(await readControlState(runPath(runsFolder, runId))), message };
}
