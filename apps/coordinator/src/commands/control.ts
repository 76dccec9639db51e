import { runHolder } from '@nesgd/core/run';
import type { ControlledRun } from '@nesgd/core/view';
import { type Command, InvalidArgumentError, type Option } from 'commander';
import { controlRun, stopRun } from '../control/control-run.js';
import { HIGHEST_PRIORITY } from '../control/orders.js';
import { withTypedCommands } from '../invocation.js';

interface SharedOptions {
  readonly runs: () => Option;
  readonly json: () => Option;
}

interface Controlling {
  readonly runs: string;
  readonly json: boolean;
}

export function priorityOf(text: string): number {
  if (/^[+-]?\d+$/.test(text) && Math.abs(Number(text)) <= HIGHEST_PRIORITY) return Number(text);
  throw new InvalidArgumentError(`wants a whole number from -${HIGHEST_PRIORITY} to ${HIGHEST_PRIORITY}.`);
}

/** `nesgd pause|stop|priority`: what is said to a run that another process works on. */
export function controlCommands(program: Command, { runs, json }: SharedOptions): void {
  const about = (name: string, description: string) =>
    program.command(name).description(description).argument('<run-id>', 'the run');

  about('pause', 'let no further job of a run begin, until "nesgd resume"; those under way are finished')
    .option('--now', 'put down those under way as well: they go on from their last snapshot when the run does', false)
    .addOption(runs())
    .addOption(json())
    .action(async (runId: string, { now, ...options }: Controlling & { now: boolean }) =>
      printControlled(await controlRun(options.runs, runId, { type: 'pause', now }), options.json),
    );

  about('stop', 'end a run as Ctrl-C does: what was measured is kept, "nesgd resume" goes on')
    .addOption(runs())
    .addOption(json())
    .action(async (runId: string, options: Controlling) =>
      printControlled(await stopRun(options.runs, runId), options.json),
    );

  about('priority', 'put the jobs of a run before or behind those of other runs that share its workers')
    .argument('<n>', `-${HIGHEST_PRIORITY} to ${HIGHEST_PRIORITY}, the higher goes first; 0 is usual`, priorityOf)
    .addOption(runs())
    .addOption(json())
    .action(async (runId: string, priority: number, options: Controlling) =>
      printControlled(await controlRun(options.runs, runId, { type: 'priority', priority }), options.json),
    );
}

/**
 * What `nesgd resume` means for a run that a process works on.
 * @returns undefined where none does: then the run is resumed by this one.
 * @throws RunStateError where the run is not paused.
 */
export async function unpause(runId: string, runsFolder: string): Promise<ControlledRun | undefined> {
  if (!(await runHolder(runsFolder, runId))) return undefined;
  return controlRun(runsFolder, runId, { type: 'resume' });
}

export function printControlled(controlled: ControlledRun, asJson: boolean): void {
  process.stdout.write(`${asJson ? JSON.stringify(controlled) : withTypedCommands(controlled.message)}\n`);
}
