import { runHolder } from '@nesgd/core/run';
import type { ControlledRun, WorkerList } from '@nesgd/core/view';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { checkBrokerUrl, openBroker } from '../broker.js';
import type { CoordinatorConfig } from '../config.js';
import { controlRun, stopRun } from '../control/control-run.js';
import { HIGHEST_PRIORITY } from '../control/orders.js';
import { drain, listWorkers, type WorkerSources } from '../control/workers.js';
import { mixedProcessors } from '../dispatch/noting-processors.js';
import { printLine } from '../display/line.js';
import { tableLines } from '../display/table-lines.js';
import { withTypedCommands } from '../invocation.js';
import { formatTime } from '../status/overview-lines.js';

interface SharedOptions {
  readonly runs: () => Option;
  readonly json: () => Option;
}

interface WorkersOptions extends Controlling {
  readonly broker?: string;
}

interface Controlling {
  readonly runs: string;
  readonly json: boolean;
}

export function priorityOf(text: string): number {
  if (/^[+-]?\d+$/.test(text) && Math.abs(Number(text)) <= HIGHEST_PRIORITY) return Number(text);
  throw new InvalidArgumentError(`wants a whole number from -${HIGHEST_PRIORITY} to ${HIGHEST_PRIORITY}.`);
}

/** `nesgd pause|stop|priority|workers`: what is said to a run that another process works on. */
export function controlCommands(program: Command, { runs, json }: SharedOptions, config: CoordinatorConfig): void {
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

  workerCommands(program.command('workers'), { runs, json }, config);
}

function workerCommands(workers: Command, { runs, json }: SharedOptions, config: CoordinatorConfig): void {
  const broker = () =>
    new Option('--broker <url>', 'redis://host:port, asked as well as those of the runs (default: REDIS_URL)');
  const say = (options: Controlling, value: unknown, lines: () => readonly string[]) =>
    process.stdout.write(
      options.json
        ? `${JSON.stringify(value)}\n`
        : lines()
            .map((line) => `${line}\n`)
            .join(''),
    );

  workers
    .description('the workers of the runs that go on, and of the broker that runs share: what each is at')
    .addOption(runs())
    .addOption(broker())
    .addOption(json())
    .action(async (options: WorkersOptions) => {
      const list = await withSources(options, config, listWorkers);
      say(options, list, () => workerLines(list));
    });
  workers
    .command('drain')
    .description('let a worker finish its job, take no other, and end')
    .argument('<worker>', 'its name; where two have it, name:pid')
    .addOption(runs())
    .addOption(broker())
    .addOption(json())
    .action(async (id: string, _: unknown, command: Command) => {
      const options = command.optsWithGlobals<WorkersOptions>();
      const worker = await withSources(options, config, (sources) => drain(sources, id));
      const end = worker.job ? `finishes ${worker.job.what} of ${worker.job.runId}, takes no other, and ends` : 'ends';
      say(options, worker, () => [`worker ${worker.name} ${end}`]);
    });
}

/** Where a broker is named but does not answer, that is said: without it the list would be wrong. */
async function withSources<T>(
  { broker, runs }: WorkersOptions,
  config: CoordinatorConfig,
  use: (sources: WorkerSources) => Promise<T>,
): Promise<T> {
  const url = broker === undefined ? config.redisUrl : checkBrokerUrl('--broker', broker);
  if (url === undefined) return use({ runsFolder: runs, connection: undefined });
  const signal = new AbortController().signal;
  const opened = await openBroker(url, { config, watch: () => {}, signal });
  try {
    return await use({ runsFolder: runs, connection: opened.kind === 'queue' ? opened.connection : undefined });
  } finally {
    await opened.close();
  }
}

function workerLines({ workers, silent }: WorkerList): string[] {
  const rows = workers.map(({ name, state, job, host, pid, since }) => [
    name,
    state,
    job ? `${job.what} of ${job.runId}` : '-',
    `${host}:${pid}`,
    formatTime(since),
  ]);
  const heading = ['worker', 'state', 'job', 'process', 'since'];
  return [
    ...(rows.length > 0 ? tableLines(heading, rows, 'left').map((line) => printLine(line, false)) : ['no workers']),
    ...mixtureNotes(workers),
    ...silent.map((runId) => `run ${runId} does not say which workers it has just now`),
  ];
}

function mixtureNotes(workers: WorkerList['workers']): string[] {
  const kinds = new Map(workers.flatMap(({ name, processor }) => (processor ? [[processor, name] as const] : [])));
  if (kinds.size < 2) return [];
  const who = [...kinds].map(([processor, name]) => `${name} computes on ${processor}`);
  return [mixedProcessors(who.join(', '))];
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
