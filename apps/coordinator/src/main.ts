/** The command line `nesgd`: reads flags, runs one command, turns what it throws into an exit code. */
import 'dotenv/config';
import { InputError, NesgdError } from '@nesgd/core/errors';
import { DEVICE_CHOICES } from '@nesgd/core/protocol';
import { DEFAULT_ATTEMPTS } from '@nesgd/core/run';
import { endTracing, startTracing } from '@nesgd/core/tracing';
import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { type Conducting, conductor, EXIT, onStopSignal, print, StoppedError } from './commands/attended.js';
import { benchCommand } from './commands/bench.js';
import { type CompareOptions, compare, comparisonLines } from './commands/compare.js';
import { controlCommands, printControlled, priorityOf, unpause } from './commands/control.js';
import { dataCommands } from './commands/data/index.js';
import { doctor } from './commands/doctor.js';
import { dryRun, dryRunLines } from './commands/dry-run.js';
import { EXPORT_FORMATS, type ExportOptions, exportLines, exportRun } from './commands/export.js';
import { type PredictOptions, predict, predictionLines } from './commands/predict.js';
import type { ReportOptions } from './commands/report.js';
import { RestingError } from './commands/resting.js';
import { type ResumeOptions, type RunOptions, resume, retry, run } from './commands/run.js';
import { type ServeOptions, serve } from './commands/serve.js';
import { type SimulateOptions, simulate, simulationLines } from './commands/simulate.js';
import { status } from './commands/status.js';
import { watchStatus } from './commands/status-watch.js';
import { type WorkerOptions, worker } from './commands/worker.js';
import { CONTENDER_NAMES } from './compare/contenders.js';
import { readConfig } from './config.js';
import { typed } from './invocation.js';
import { DEFAULT_SERVE_PORT } from './serve/serve-address.js';

const config = readConfig(process.env);
const { conduct, readable } = conductor(config);

function wholeNumber(text: string, lowest: number, highest: number): number {
  if (/^\d+$/.test(text) && Number(text) >= lowest && Number(text) <= highest) return Number(text);
  throw new InvalidArgumentError(`wants a whole number from ${lowest} to ${highest}.`);
}

function amount(text: string, highest: number): number {
  if (/^\d+(\.\d+)?$/.test(text) && Number(text) <= highest) return Number(text);
  throw new InvalidArgumentError(`wants a number from 0 to ${highest}.`);
}

const json = () =>
  new Option('--json', 'print the result as one line of JSON on standard output; nothing else goes there').default(
    false,
  );
const runs = () => new Option('--runs <dir>', 'the folder of runs').default('runs');
const broker = () =>
  new Option(
    '--broker <where>',
    'auto: REDIS_URL, else a broker started for this run, else local; or local, or redis://host:port',
  ).default('auto');
const listen = () =>
  new Option(
    '--listen <host:port>',
    'let workers on other machines fetch data sets and weights there; wants NESGD_SECRET (default: NESGD_LISTEN, else nothing listens)',
  );
const workers = () =>
  new Option(
    '--workers <n>',
    `worker processes on this machine (default: its cores / runtime.threads, or one a card); 0: only those that joined elsewhere by "${typed('nesgd worker')}"`,
  ).argParser((text) => wholeNumber(text, 0, 1024));
const workersPerDevice = () =>
  new Option(
    '--workers-per-device <n>',
    'trainers that share a card and its memory (default: runtime.workersPerDevice, else 1)',
  ).argParser((text) => wholeNumber(text, 1, 64));
const device = (what: string) => new Option('--device <name>', what).choices(DEVICE_CHOICES);
const deviceOfRun = () =>
  device(
    'what computes: cards, the processor, or auto: cards where there are some that TensorFlow can use (sets runtime.device)',
  );
const engine = () =>
  new Option('--engine <name>', 'what computes').choices(['auto', 'tensorflow', 'wasm']).default('auto');

const which = () =>
  new Option('--which <network>', 'best: the winner, before the end the leader so far; alpha: where the search began')
    .choices(['best', 'alpha'])
    .default('best');

const attempts = () =>
  new Option(
    '--attempts <n>',
    'trainers that may die under one individual before it is given up, which counts as the worst',
  )
    .argParser((text) => wholeNumber(text, 1, 1000))
    .default(DEFAULT_ATTEMPTS);

const priority = () =>
  new Option(
    '--priority <n>',
    'of its jobs among those of other runs that share the workers, -100 to 100: the higher goes first (default: as before, at first 0)',
  ).argParser(priorityOf);

const set = () =>
  new Option('--set <key=value>', 'set a key of the experiment by its path, such as retrain.epochs=3; may be repeated')
    .argParser((value: string, earlier: string[]) => [...earlier, value])
    .default([], '');

const port = (flag: string, what: string) =>
  new Option(flag, what).argParser((text) => {
    if (!/^\d+$/.test(text) || Number(text) > 65_535)
      throw new InvalidArgumentError('wants a port, 0 to 65535 (0: any free one).');
    return Number(text);
  });
const serveFlag = () =>
  port(
    '--serve [port]',
    `show the run in a browser on this machine while it goes on and after it, until Ctrl-C (default port: ${DEFAULT_SERVE_PORT})`,
  );

const serveHost = () =>
  new Option(
    '--serve-host <address>',
    'where --serve listens; beyond 127.0.0.1 it wants NESGD_SECRET, which people log in with',
  ).default('127.0.0.1');

/** A command that works on one run: how it is done, and shown. */
const conducting = (command: Command): Command =>
  command
    .addOption(workers())
    .addOption(workersPerDevice())
    .addOption(broker())
    .addOption(attempts())
    .addOption(listen())
    .addOption(priority())
    .addOption(runs())
    .addOption(serveFlag())
    .addOption(serveHost())
    .addOption(json());

const program = new Command('nesgd')
  .description('Neuroevolution with SGD: searches which blocks of a trained network to keep and which to train anew.')
  .version('0.1.0')
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

conducting(program.command('run'))
  .description('run an experiment: train alpha, evolve masks, measure the best network on the test set')
  .argument('<file>', 'the experiment, a YAML file (docs/experiments.md lists its keys)')
  .addOption(set())
  .option('--data <path>', 'where the data set is (sets dataset.path)')
  .addOption(engine())
  .addOption(deviceOfRun())
  .option('--run-id <id>', 'the name of the run (default: experiment, date and time)')
  .option('--or-resume', 'where a run of the name --run-id exists, go on with it: for what starts this command again')
  .option('--dry-run', 'check the experiment and say what it would cost: jobs, epochs, an estimate of the time')
  .action((file: string, options: RunOptions & Conducting & { readonly dryRun?: true }) =>
    options.dryRun
      ? conduct(options, (around) => dryRun(file, options, around), dryRunLines)
      : conduct(options, (around) => run(file, options, around)),
  );

conducting(program.command('resume'))
  .description(
    'go on with a run: one that is paused begins jobs again; one that was stopped or killed goes on here, from the last fact in its journal',
  )
  .argument('<run-id>', 'the run')
  .action(async (runId: string, options: ResumeOptions & Conducting) => {
    const unpaused = await unpause(runId, options.runs);
    if (unpaused) printControlled(unpaused, options.json);
    else await conduct(options, (around) => resume(runId, options, around));
  });

conducting(program.command('retry'))
  .description(
    'give the individuals of a run that were given up another chance: goes on here from the generation of the first of them',
  )
  .argument('<run-id>', 'the run, stopped or finished')
  .action((runId: string, options: ResumeOptions & Conducting) =>
    conduct(options, (around) => retry(runId, options, around)),
  );

controlCommands(program, { runs, json }, config);

program
  .command('compare')
  .description(
    'run methods to the same budget over several seeds and compare them (docs/methods.md); asked again, it goes on',
  )
  .argument('<file...>', 'experiments; of several, each is a competitor by its name')
  .requiredOption('--budget <images>', 'training images of each run, alpha included where a method uses it', (text) =>
    wholeNumber(text, 1, Number.MAX_SAFE_INTEGER),
  )
  .addOption(
    new Option('--seeds <n>', "runs of each method; their seeds count from the experiment's")
      .argParser((text) => wholeNumber(text, 1, 1000))
      .default(5),
  )
  .option(
    '--methods <names>',
    `with commas between: ${CONTENDER_NAMES.join(', ')} (default: of one file all of them, of several each its own)`,
  )
  .addOption(set())
  .option('--data <path>', 'where the data set is (sets dataset.path)')
  .addOption(workers())
  .addOption(workersPerDevice())
  .addOption(engine())
  .addOption(deviceOfRun())
  .addOption(broker())
  .addOption(attempts())
  .addOption(listen())
  .addOption(runs())
  .option('--so-far', 'train nothing: compare the seeds of which every run is finished, also while others are trained')
  .option('--markdown <file>', 'write the tables to this file as well')
  .option('--svg <file>', 'write a figure: the best network so far against images seen')
  .addOption(json())
  .action((files: string[], options: CompareOptions & Conducting) =>
    conduct(options, (around) => compare(files, options, around), comparisonLines, 'the same command'),
  );

program
  .command('status')
  .description('list the runs, or show one')
  .argument('[run-id]', 'the run to show')
  .addOption(runs())
  .addOption(json())
  .option('--watch', 'show it again whenever it changes, until the run ends or Ctrl-C', false)
  .action(async (runId: string | undefined, options: { runs: string; json: boolean; watch: boolean }) => {
    const shown = { runsFolder: options.runs, json: options.json, stdout: process.stdout, ...(runId && { runId }) };
    if (!options.watch) {
      process.exitCode = await status(shown);
      return;
    }
    const stop = new AbortController();
    onStopSignal(() => stop.abort());
    await watchStatus({ ...shown, signal: stop.signal });
  });

program
  .command('export')
  .description("write a run's network for use elsewhere (docs/using-results.md), also while the run goes on")
  .argument('<run-id>', 'the run')
  .addOption(which())
  .addOption(
    new Option(
      '--format <name>',
      'safetensors: for PyTorch and Python; tfjs: for the browser (tf.loadGraphModel) (default: these two); tensorboard: event files of all curves',
    ).choices(EXPORT_FORMATS),
  )
  .option('--out <dir>', "where to (default: export in the run's folder)")
  .addOption(runs())
  .addOption(json())
  .action(async (runId: string, options: ExportOptions & { json: boolean }) => {
    const summary = await exportRun(runId, options, config);
    print(options.json ? [JSON.stringify(summary)] : exportLines(summary));
  });

program
  .command('predict')
  .description("say what a run's network takes images for")
  .argument('<run-id>', 'the run')
  .argument('<image...>', 'image files of any size (JPEG, PNG, WebP, ...)')
  .addOption(which())
  .addOption(
    new Option('--top <k>', 'classes to name for each image, the likeliest first')
      .argParser((text) => wholeNumber(text, 1, 65536))
      .default(5),
  )
  .addOption(engine())
  .addOption(runs())
  .addOption(json())
  .action(async (runId: string, images: string[], options: PredictOptions & { json: boolean }) => {
    const summary = await predict(runId, images, options, config);
    print(options.json ? [JSON.stringify(summary)] : predictionLines(summary));
  });

program
  .command('serve')
  .description('show the runs of a folder in a browser, those that go on as they go on')
  .addOption(runs())
  .addOption(port('--port <n>', `where to listen (default: ${DEFAULT_SERVE_PORT})`))
  .addOption(
    new Option('--host <address>', 'beyond 127.0.0.1 it wants NESGD_SECRET, which people log in with').default(
      '127.0.0.1',
    ),
  )
  .addOption(json())
  .action(async (options: ServeOptions) => {
    const stop = new AbortController();
    onStopSignal(() => stop.abort());
    await serve(options, config, stop.signal);
  });

program
  .command('report')
  .description(
    "write what runs measured as one HTML page: figures, masks, costs, the paper's tables; finished runs or not",
  )
  .argument('<run-id...>', 'the runs')
  .option('--out <file>', "the page (default: report.html in the run's folder, for several runs here)")
  .option('--markdown <file>', 'the same as Markdown, with the figures of --svg or --png')
  .option('--svg <dir>', 'each figure as an SVG file')
  .option('--png <dir>', 'each figure as a PNG file')
  .addOption(runs())
  .addOption(json())
  .action(async (runIds: string[], options: ReportOptions & { json: boolean }) => {
    const { report } = await import('./commands/report.js'); // Its plots take longer to load than all else together.
    const summary = await report(runIds, options);
    print(options.json ? [JSON.stringify(summary)] : summary.files);
  });

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
    process.exitCode = await doctor({ json: options.json, stdout: process.stdout, env: process.env });
  });

benchCommand(program.command('bench'), config);
dataCommands(program.command('data'), config);

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.wrongInput;
  if (error instanceof StoppedError) return EXIT.stopped;
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
