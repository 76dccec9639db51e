/** The command line `nesgd`: reads flags, runs one command, turns what it throws into an exit code. */
import 'dotenv/config';
import { InputError, NesgdError } from '@nesgd/core/errors';
import { endTracing, startTracing } from '@nesgd/core/tracing';
import { Command, CommanderError } from 'commander';
import { amount, device, json, runs, wholeNumber, workersPerDevice } from './cli/flags.js';
import { readingCommands } from './cli/reading.js';
import { runningCommands } from './cli/running.js';
import { conductor, EXIT, onStopSignal, StoppedError } from './commands/attended.js';
import { benchCommand } from './commands/bench.js';
import { controlCommands } from './commands/control.js';
import { dataCommands } from './commands/data/index.js';
import { RestingError } from './commands/resting.js';
import type { SimulateOptions } from './commands/simulate.js';
import type { WorkerOptions } from './commands/worker.js';
import { readConfig } from './config.js';
import { typed } from './invocation.js';
import { VERSION } from './version.js';

const config = readConfig(process.env);
const { conduct, readable } = conductor(config);

const program = new Command('nesgd')
  .description('Neuroevolution with SGD: searches which blocks of a trained network to keep and which to train anew.')
  .version(VERSION)
  .exitOverride()
  .showHelpAfterError('(--help shows what there is)')
  .addHelpText(
    'after',
    `
Exit codes: 0 done; 1 failed; 2 wrong input; 130 stopped, "${typed('nesgd resume')}" goes on.

Examples:
  ${typed('nesgd run')} experiments/quickstart.yaml
  ${typed('nesgd run')} experiments/cifar10-small.yaml --data cifar10-jpeg.tar.gz --set evolution.generations=5
  ${typed('nesgd resume')} quickstart-20260131-120000-3f9a`,
  );

runningCommands(program, conduct);
controlCommands(program, { runs, json }, config);
readingCommands(program, config);

program
  .command('worker')
  .description(
    'do the jobs of a broker, one at a time and one a card, until stopped; the log is JSON lines on standard output',
  )
  .option('--broker <url>', 'redis://host:port or rediss://host:port (default: REDIS_URL)')
  .option(
    '--coordinator <url>',
    "http://host:port that a run listens on (default: NESGD_COORDINATOR); wants NESGD_SECRET. Without it the cache folder must be the coordinator's own",
  )
  .option('--name <name>', 'how this worker is called in journals and displays (default: host and process id)')
  .option(
    '--jobs <n>',
    'end after so many jobs, each of several workers: 1 is "one job, then exit" (default: no limit)',
    (text) => wholeNumber(text, 1, 1_000_000),
  )
  .option('--idle <seconds>', 'end when no job has come for so long (default: wait for ever)', (text) =>
    wholeNumber(text, 1, 1_000_000),
  )
  .option('--stay-drained', 'drained, wait for a signal instead of ending: for what starts this command again')
  .addOption(
    device(
      'auto: a worker for each card that TensorFlow can use, else one; gpu: cards, or an error; cpu: one worker that takes no jobs for cards (default: auto)',
    ),
  )
  .addOption(workersPerDevice())
  .addOption(json())
  .action(async (options: WorkerOptions) => {
    const { worker } = await import('./commands/worker.js');
    process.exitCode = await worker(options, config);
  });

program
  .command('simulate')
  .description('run coordinator, queue and journal with workers that only wait: what they cost, and where they end')
  .requiredOption('--workers <n>', 'simulated workers', (text) => wholeNumber(text, 1, 5_000))
  .requiredOption('--population <n>', 'individuals of a generation', (text) => wholeNumber(text, 2, 100_000))
  .option('--generations <n>', 'generations after the initial population', (text) => wholeNumber(text, 0, 1_000), 1)
  .option('--failures <rate>', 'share of attempts that end with a dead trainer', (text) => amount(text, 0.9), 0)
  .option(
    '--job-seconds <s>',
    'mean time of a training; 2 % take three times as long',
    (text) => amount(text, 3_600),
    10,
  )
  .option('--bits <n>', 'bits of a genome', (text) => wholeNumber(text, 1, 1_024), 64)
  .option('--seed <n>', 'of everything drawn', (text) => wholeNumber(text, 0, 2 ** 31), 1)
  .addOption(json())
  .action(async ({ json: asJson, ...options }: SimulateOptions & { json: boolean }) => {
    const stop = new AbortController();
    onStopSignal(() => (stop.signal.aborted ? process.exit(EXIT.stopped) : stop.abort()));
    const say = (text: string) => process.stderr.write(`${text}\n`);
    const { simulate, simulationLines } = await import('./commands/simulate.js');
    try {
      const report = await simulate(options, { config, signal: stop.signal, say });
      process.stdout.write(asJson ? `${JSON.stringify(report)}\n` : simulationLines(report));
    } catch (error) {
      throw stop.signal.aborted ? new StoppedError(undefined, 'the same command') : error;
    }
  });

program
  .command('doctor')
  .description('show what was found on this machine, and what each missing piece would bring')
  .addOption(json())
  .action(async (options: { json: boolean }) => {
    const { doctor } = await import('./commands/doctor.js');
    process.exitCode = await doctor({ json: options.json, stdout: process.stdout, env: process.env });
  });

benchCommand(program.command('bench'), config);
dataCommands(program.command('data'), config);

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.wrongInput;
  if (error instanceof NesgdError && error.code === 'STOPPED') return EXIT.stopped;
  if (error instanceof RestingError) return EXIT.done;
  return error instanceof InputError ? EXIT.wrongInput : EXIT.failed;
}

try {
  await startTracing(process.env, 'nesgd-coordinator');
  await program.parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
  if (error instanceof NesgdError) {
    process.stderr.write(`nesgd: ${readable(error.message)}\n`);
  } else if (!(error instanceof CommanderError)) {
    process.stderr.write(`nesgd: unexpected: ${error instanceof Error ? error.stack : String(error)}\n`);
  }
} finally {
  await endTracing();
}
