import { resolve } from 'node:path';
import { InputError } from '@nesgd/core/errors';
import { listRuns } from '@nesgd/core/run';
import { formatAccuracy } from '../display/format.js';
import { type Line, printLine } from '../display/line.js';
import type { Terminal } from '../display/live-region.js';
import { tableLines } from '../display/table-lines.js';
import { typed } from '../invocation.js';
import { formatTime, overviewLines } from '../status/overview-lines.js';
import { overviewOf, type RunState } from '../status/run-overview.js';

export interface StatusOptions {
  readonly runsFolder: string;
  /** Shows this run in detail; without it, all runs are listed. */
  readonly runId?: string;
  /** One JSON value: an array of runs, or the run as a `RunOverview`. */
  readonly json: boolean;
  readonly stdout: Terminal;
}

/** A run in the list; a damaged one has only its name and what is wrong with it. */
export type ListedRun =
  | {
      readonly runId: string;
      readonly state: RunState;
      readonly experiment: string;
      /** The last closed one, null before the first; of how many. */
      readonly generation: number | null;
      readonly generations: number;
      readonly alphaAccuracy: number | null;
      readonly bestAccuracy: number | null;
      readonly bestTestAccuracy: number | null;
      readonly startedAt: string;
      readonly lastFactAt: string;
    }
  | { readonly runId: string; readonly state: 'damaged'; readonly error: string };

/**
 * `nesgd status [RUN_ID]`: the runs of a folder, or one of them, from their journals; also while they go on.
 * @returns the exit code.
 * @throws InputError for a run that is not there, or whose journal is damaged (file and line).
 */
export async function status({ runsFolder, runId, json, stdout }: StatusOptions): Promise<number> {
  const value = runId === undefined ? await list(runsFolder) : await overviewOf(runsFolder, runId);
  if (json) {
    stdout.write(`${JSON.stringify(value)}\n`);
    return 0;
  }
  const lines = Array.isArray(value) ? listLines(value, runsFolder) : overviewLines(value);
  const colours = stdout.hasColors?.() ?? false;
  stdout.write(lines.map((line) => `${printLine(line, colours)}\n`).join(''));
  return 0;
}

/** Oldest first. One damaged journal does not hide the other runs; folders without a journal are no runs. */
async function list(runsFolder: string): Promise<ListedRun[]> {
  const runs: ListedRun[] = [];
  for (const runId of await listRuns(runsFolder)) {
    try {
      runs.push(await listed(runsFolder, runId));
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      if (error.code === 'JOURNAL') runs.push({ runId, state: 'damaged', error: error.message });
    }
  }
  const started = (run: ListedRun) => (run.state === 'damaged' ? '' : run.startedAt);
  return runs.sort((a, b) => started(a).localeCompare(started(b)));
}

async function listed(runsFolder: string, runId: string): Promise<ListedRun> {
  const { state, experiment, generations, alpha, best, startedAt, lastFactAt } = await overviewOf(runsFolder, runId);
  return {
    runId,
    state,
    experiment: experiment.name,
    generation: generations.at(-1)?.t ?? null,
    generations: experiment.evolution.generations,
    alphaAccuracy: alpha?.accuracy ?? null,
    bestAccuracy: best?.accuracy ?? null,
    bestTestAccuracy: best?.testAccuracy ?? null,
    startedAt,
    lastFactAt,
  };
}

function listLines(runs: readonly ListedRun[], runsFolder: string): Line[] {
  if (runs.length === 0)
    return [
      [
        `there are no runs in ${resolve(runsFolder)}: "${typed('nesgd run FILE')}" starts one; --runs names another folder`,
      ],
    ];
  const heading = ['run', 'state', 'generation', 'alpha', 'best', 'test', 'started', 'last fact'];
  const rows = runs.map((run) =>
    run.state === 'damaged'
      ? [run.runId, run.state]
      : [
          run.runId,
          run.state,
          `${run.generation ?? '-'}/${run.generations}`,
          ...[run.alphaAccuracy, run.bestAccuracy, run.bestTestAccuracy].map(formatAccuracy),
          formatTime(run.startedAt),
          formatTime(run.lastFactAt),
        ],
  );
  const damaged = runs.flatMap((run) => (run.state === 'damaged' ? [[`${run.runId}: ${run.error}`]] : []));
  return [...tableLines(heading, rows, 'left'), ...damaged];
}
