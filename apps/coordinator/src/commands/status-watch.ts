import { setTimeout as wait } from 'node:timers/promises';
import type { RunPulse } from '@nesgd/core/view';
import { formatAccuracy } from '../display/format.js';
import { dim, type Line, printLine } from '../display/line.js';
import { LiveRegion, type Terminal } from '../display/live-region.js';
import { readPulse } from '../serve/run-pulse.js';
import { overviewLines } from '../status/overview-lines.js';
import { RunList } from '../status/run-list.js';
import { overviewOf } from '../status/run-overview.js';
import { listLines, type StatusOptions } from './status.js';

const INTERVAL_MS = 1_000;

export interface WatchOptions extends StatusOptions {
  readonly stdout: Terminal & { readonly isTTY?: boolean };
  readonly signal: AbortSignal;
}

/**
 * `nesgd status --watch`: the same, drawn again when it changes; with `json` a line for each change, into a file or
 * pipe the view for each change. Ends when the run that it shows does, or by `signal`.
 * @throws InputError as `status`.
 */
export async function watchStatus(options: WatchOptions): Promise<void> {
  const { stdout, json, signal } = options;
  const look =
    options.runId === undefined ? lookAtAll(options.runsFolder) : lookAtRun(options.runsFolder, options.runId);
  const region = stdout.isTTY && !json ? new LiveRegion(stdout, stdout.hasColors?.() ?? false) : undefined;
  let last = '';
  try {
    while (!signal.aborted) {
      const { value, lines, isOver } = await look();
      const text = json ? JSON.stringify(value) : lines.map((line) => printLine(line, false)).join('\n');
      if (text !== last && region) region.draw([], lines.slice(0, region.size.rows - 1));
      else if (text !== last) stdout.write(`${text}\n`);
      last = text;
      if (isOver) return;
      await wait(INTERVAL_MS, undefined, { signal }).catch(() => {}); // Aborted: the loop's condition sees it.
    }
  } finally {
    region?.end();
  }
}

type Look = () => Promise<{ value: unknown; lines: Line[]; isOver: boolean }>;

function lookAtAll(runsFolder: string): Look {
  const list = new RunList(runsFolder);
  return async () => {
    const runs = await list.read();
    return { value: runs, lines: listLines(runs, runsFolder), isOver: false };
  };
}

/** What goes on comes first: a small screen shows no more. */
function lookAtRun(runsFolder: string, runId: string): Look {
  return async () => {
    const overview = await overviewOf(runsFolder, runId);
    const { live } = await readPulse(runsFolder, runId, overview.state, overview.holder);
    const [title = [], ...rest] = overviewLines(overview);
    const value = { ...overview, live };
    return { value, lines: [title, ...liveLines(live), ...rest], isOver: overview.state !== 'running' };
  };
}

function liveLines(live: RunPulse['live']): Line[] {
  if (!live || live.active.length === 0) return [];
  const { jobs } = live;
  return [
    ...live.active.map(({ text, worker, epochs, curve }): Line => {
      const last = curve.at(-1);
      const epoch = epochs === null ? 'begins' : `epoch ${last?.epoch ?? 0} of ${epochs}`;
      return [`  ${text}  `, dim(`${epoch}, accuracy ${formatAccuracy(last?.accuracy ?? null)}, ${worker}`)];
    }),
    [dim(`  ${jobs.waiting} jobs wait, ${jobs.done} of ${jobs.total} are done, ${jobs.retried} had to be done again`)],
    [],
  ];
}
