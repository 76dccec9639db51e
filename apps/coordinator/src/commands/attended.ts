import { once } from 'node:events';
import { NesgdError } from '@nesgd/core/errors';
import { runCommand } from '@nesgd/core/run';
import type { CoordinatorConfig } from '../config.js';
import { chooseDisplayMode, createDisplay } from '../display/index.js';
import { type Line, printLine } from '../display/line.js';
import { isDivergence } from '../divergence.js';
import { withTypedCommands } from '../invocation.js';
import { liveFile } from '../live/live-file.js';
import type { RunDescription, RunEvent, Watch } from '../run-events.js';
import { DEFAULT_SERVE_PORT } from '../serve/serve-address.js';
import type { Surroundings } from './access.js';
import { RestingError } from './resting.js';

export const EXIT = { done: 0, failed: 1, wrongInput: 2, stopped: 130 } as const;

/** Ctrl-C or SIGTERM ended the work. */
export class StoppedError extends NesgdError {
  constructor(run: RunDescription | undefined, goesOn: string) {
    super('STOPPED', run ? `stopped; what was measured is kept: ${goesOn} goes on` : 'stopped before any work began');
  }
}

/** What the commands that do something long have in common. */
export interface Conducting {
  readonly json: boolean;
  readonly runs: string;
  /** A port; true: the usual one. */
  readonly serve?: number | true;
  readonly serveHost?: string;
  /** What started this command starts it again whenever it ends. */
  readonly orResume?: true;
}

export const print = (lines: readonly string[]) => process.stdout.write(lines.map((line) => `${line}\n`).join(''));

export function onStopSignal(stop: () => void): void {
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

async function openDashboard(...asked: Parameters<typeof import('./serve.js').openDashboard>) {
  const serving = await import('./serve.js');
  return serving.openDashboard(...asked);
}

export type Conduct = ReturnType<typeof conductor>['conduct'];

export function conductor(config: CoordinatorConfig) {
  /** The run that is being worked on, which a message's "nesgd resume" means. */
  let begun: RunDescription | undefined;

  const readable = (text: string): string =>
    withTypedCommands(text, begun && runCommand('resume', { id: begun.runId, path: begun.folder }));

  function withTypedCommandsIn(event: RunEvent): RunEvent {
    if (event.type === 'notice') return { ...event, text: readable(event.text) };
    if (event.type === 'job-retried') return { ...event, reason: readable(event.reason) };
    return event;
  }

  /** Does something long with a display and a way to stop it, and prints its summary. */
  async function conduct<T>(
    { json: asJson, runs: runsFolder, serve: served, serveHost: host = '127.0.0.1', orResume }: Conducting,
    work: (around: Surroundings) => Promise<T>,
    /** What the display has not shown. */
    linesOf: (summary: T) => readonly Line[] = () => [],
    /** What to type when it was stopped. */
    goesOn = '"nesgd resume"',
  ): Promise<void> {
    const stop = new AbortController();
    /** By Ctrl-C or SIGTERM, not by an order. */
    const signalled = new AbortController();
    const display = createDisplay({
      stream: process.stderr,
      mode: chooseDisplayMode(process.stderr, asJson, process.env),
    });
    const live = liveFile();
    let isOver = false;
    onStopSignal(() => {
      if (signalled.signal.aborted) process.exit(EXIT.stopped); // Asked twice: at once. The journal is whole at any time.
      signalled.abort();
      stop.abort();
      if (!isOver) display.watch({ type: 'notice', text: 'stopping; asked again, it ends at once' });
    });
    const watch: Watch = (event) => {
      if (event.type === 'opened') begun = event.run;
      const told = withTypedCommandsIn(event);
      display.watch(told);
      live.watch(told);
    };
    const port = served === true ? DEFAULT_SERVE_PORT : served;
    const dashboard = port === undefined ? undefined : await openDashboard({ runs: runsFolder, host, port }, config);
    if (dashboard) watch({ type: 'notice', text: `dashboard: ${dashboard.url}` });
    const over = async () => {
      isOver = true;
      display.close();
      await live.close();
    };
    const stay = async () => {
      if (!dashboard || signalled.signal.aborted) return;
      process.stderr.write(`the dashboard stays at ${dashboard.url} (Ctrl-C ends)\n`);
      await once(signalled.signal, 'abort');
    };
    try {
      const summary = await work({ config, watch, signal: stop.signal, stop: () => stop.abort() });
      await over();
      print(asJson ? [JSON.stringify(summary)] : linesOf(summary).map((line) => printLine(line, false)));
      await stay();
    } catch (error) {
      const ending = stop.signal.aborted ? new StoppedError(begun, goesOn) : error;
      const isMeant = ending instanceof StoppedError || ending instanceof RestingError || isDivergence(ending);
      // Started again it would undo the order, or meet the same end again and again.
      if (!orResume || !dashboard || !isMeant || signalled.signal.aborted) throw ending;
      await over();
      process.stderr.write(`nesgd: ${readable((ending as NesgdError).message)}\n`);
      await stay();
    } finally {
      await over();
      await dashboard?.close();
    }
  }

  return { conduct, readable };
}
