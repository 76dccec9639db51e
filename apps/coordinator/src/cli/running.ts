import { type Command, Option } from 'commander';
import type { Conduct, Conducting } from '../commands/attended.js';
import type { CompareOptions } from '../commands/compare.js';
import { printControlled, unpause } from '../commands/control.js';
import type { ResumeOptions, RunOptions } from '../commands/run.js';
import { CONTENDER_NAMES } from '../compare/contenders.js';
import {
  attempts,
  broker,
  conducting,
  deviceOfRun,
  engine,
  json,
  listen,
  runs,
  set,
  wholeNumber,
  workers,
  workersPerDevice,
} from './flags.js';

/** The commands that train: a run, one that goes on, several that are compared. Each loads what it takes when called. */
export function runningCommands(program: Command, conduct: Conduct): void {
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
    .action(async (file: string, options: RunOptions & Conducting & { readonly dryRun?: true }) => {
      if (options.dryRun) {
        const { dryRun, dryRunLines } = await import('../commands/dry-run.js');
        return conduct(options, (around) => dryRun(file, options, around), dryRunLines);
      }
      const { run } = await import('../commands/run.js');
      return conduct(options, (around) => run(file, options, around));
    });

  conducting(program.command('resume'))
    .description(
      'go on with a run: one that is paused begins jobs again; one that was stopped or killed goes on here, from the last fact in its journal',
    )
    .argument('<run-id>', 'the run')
    .action(async (runId: string, options: ResumeOptions & Conducting) => {
      const unpaused = await unpause(runId, options.runs);
      if (unpaused) return printControlled(unpaused, options.json);
      const { resume } = await import('../commands/run.js');
      return conduct(options, (around) => resume(runId, options, around));
    });

  conducting(program.command('retry'))
    .description(
      'give the individuals of a run that were given up another chance: goes on here from the generation of the first of them',
    )
    .argument('<run-id>', 'the run, stopped or finished')
    .action(async (runId: string, options: ResumeOptions & Conducting) => {
      const { retry } = await import('../commands/run.js');
      return conduct(options, (around) => retry(runId, options, around));
    });

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
    .option(
      '--so-far',
      'train nothing: compare the seeds of which every run is finished, also while others are trained',
    )
    .option('--markdown <file>', 'write the tables to this file as well')
    .option('--svg <file>', 'write a figure: the best network so far against images seen')
    .addOption(json())
    .action(async (files: string[], options: CompareOptions & Conducting) => {
      const { compare, comparisonLines } = await import('../commands/compare.js');
      return conduct(options, (around) => compare(files, options, around), comparisonLines, 'the same command');
    });
}
