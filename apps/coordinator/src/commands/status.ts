import { join, resolve } from 'node:path';
import { runCommand } from '@nesgd/core/run';
import type { ListedRun } from '@nesgd/core/view';
import { formatAccuracy } from '../display/format.js';
import { dim, type Line, printLine } from '../display/line.js';
import type { Terminal } from '../display/live-region.js';
import { tableLines } from '../display/table-lines.js';
import { typed } from '../invocation.js';
import { formatTime, overviewLines } from '../status/overview-lines.js';
import { RunList } from '../status/run-list.js';
import { overviewOf } from '../status/run-overview.js';

export interface StatusOptions {
  readonly runsFolder: string;
  /** Shows this run in detail; without it, all runs are listed. */
  readonly runId?: string;
  /** One JSON value: an array of runs, or the run as a `RunOverview`. */
  readonly json: boolean;
  readonly stdout: Terminal;
}

/**
 * `nesgd status [RUN_ID]`: the runs of a folder, or one of them, from their journals; also while they go on.
 * @returns the exit code.
 * @throws InputError for a run that is not there, or whose journal is damaged (file and line).
 */
export async function status({ runsFolder, runId, json, stdout }: StatusOptions): Promise<number> {
  const value = runId === undefined ? await new RunList(runsFolder).read() : await overviewOf(runsFolder, runId);
  if (json) {
    stdout.write(`${JSON.stringify(value)}\n`);
    return 0;
  }
  const lines = Array.isArray(value) ? listLines(value, runsFolder) : overviewLines(value);
  const colours = stdout.hasColors?.() ?? false;
  stdout.write(lines.map((line) => `${printLine(line, colours)}\n`).join(''));
  return 0;
}

export function listLines(runs: readonly ListedRun[], runsFolder: string): Line[] {
  if (runs.length === 0)
    return [
      [
        `there are no runs in ${resolve(runsFolder)}: "${typed('nesgd run FILE')}" starts one; --runs names another folder`,
      ],
    ];
  const heading = ['run', 'state', 'closed', 'alpha', 'best', 'test', 'started', 'last fact'];
  const rows = runs.map((run) =>
    run.state === 'damaged'
      ? [run.runId, run.state]
      : [
          run.runId,
          run.paused ? 'paused' : run.state,
          `${run.round} ${run.generation ?? '-'}${run.generations === null ? '' : `/${run.generations}`}`,
          ...[run.alphaAccuracy, run.bestAccuracy, run.bestTestAccuracy].map(formatAccuracy),
          formatTime(run.startedAt),
          formatTime(run.lastFactAt),
        ],
  );
  const damaged = runs.flatMap((run) => (run.state === 'damaged' ? [[`${run.runId}: ${run.error}`]] : []));
  return [...tableLines(heading, rows, 'left'), ...damaged, ...resumeLines(runs, runsFolder)];
}

function resumeLines(runs: readonly ListedRun[], runsFolder: string): Line[] {
  if (!runs.some(({ state }) => state === 'stopped')) return [];
  const command = typed(runCommand('resume', { id: 'RUN_ID', path: join(runsFolder, 'RUN_ID') }));
  return [[], [dim(`a stopped run goes on by "${command}"`)]];
}
