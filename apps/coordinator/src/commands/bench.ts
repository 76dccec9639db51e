import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem, type } from 'node:os';
import { NesgdError } from '@nesgd/core/errors';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type MeasuredRow, measurePopulation, measureRow } from '../bench/measure.js';
import { type BenchOptions, type BenchPlan, planBench } from '../bench/plan.js';
import type { BenchReport, Failure, PopulationRow } from '../bench/report.js';
import { reportLines, reportMarkdown } from '../bench/report-text.js';
import { geometricMean } from '../bench/statistics.js';
import { withTable } from '../bench/write-table.js';
import type { CoordinatorConfig } from '../config.js';
import { formatClock, plural } from '../display/format.js';
import { printLine } from '../display/line.js';
import { EXIT } from './attended.js';

/** Above it, others are at work, and figures are not worth keeping. */
const QUIET_LOAD = 0.5;

/** Gives `nesgd bench` its flags. */
export function benchCommand(command: Command, config: CoordinatorConfig): Command {
  return command
    .description("measure training steps on this machine: throughput, share of the machine's peak, memory")
    .option('--models <a,b,...>', "networks to measure (default: the paper's nine)")
    .addOption(new Option('--engine <name>', 'what trains').choices(['auto', 'tensorflow', 'wasm']).default('auto'))
    .addOption(
      new Option('--device <name>', 'what trains: the processor, or the first card that may be used')
        .choices(['cpu', 'gpu'])
        .default('cpu'),
    )
    .addOption(count('--batch <n>', 'images of a step (default: 128; 32 for densenet100 and dpn92)'))
    .addOption(count('--threads <n>', 'of ours and of the peer (default: all cores; 1 on engine wasm)'))
    .addOption(count('--pairs <n>', 'measurements of each; medians are shown').default(5))
    .addOption(count('--steps <n>', 'of a measurement (default: as many as fill two seconds)'))
    .addOption(new Option('--peer <name>', 'measure this beside ours, in turn').choices(['torch']))
    .option(
      '--compiled [a,b,...]',
      'torch.compile too, of all that is measured or of some of it; takes minutes a network, and wants g++',
    )
    .option('--python <path>', 'a Python that has PyTorch (default: the one that "sh bench/peers/setup.sh" makes)')
    .option(
      '--population [a,b,...]',
      'all threads divided among workers, in the best of all ways (default: beside a peer, of resnet20 and resnet18 where they are measured)',
    )
    .option('--no-population', 'not that')
    .option(
      '--write [file]',
      "put the tables into it; not on a busy machine (default: this checkout's docs/benchmarks.md)",
    )
    .option('--json', 'print the result as one line of JSON on standard output; nothing else goes there', false)
    .addHelpText(
      'after',
      `
Examples:
  nesgd bench --models resnet20
  nesgd bench --peer torch --write
  nesgd bench --engine wasm --models resnet20 --json`,
    )
    .action((options: BenchOptions) => bench(options, config));
}

/** @throws InputError for flags that cannot be followed; NesgdError where --write meets a busy machine. */
async function bench(options: BenchOptions, config: CoordinatorConfig): Promise<void> {
  const plan = await planBench(options, config.cacheRoot);
  // Ours and the peer's inherit it: all measure on the one card.
  if (plan.card) process.env.CUDA_VISIBLE_DEVICES = plan.card.uuid;
  const loadAtStart = loadavg()[0]!;
  if (plan.write !== undefined && loadAtStart > QUIET_LOAD) {
    throw new NesgdError(
      'BUSY_MACHINE',
      `others use this machine (load average ${loadAtStart.toFixed(1)}): figures to be kept need a quiet one; without --write they are shown all the same`,
    );
  }
  const report = await measure(plan, loadAtStart);
  if (report.failed) process.exitCode = EXIT.failed;
  if (plan.write !== undefined && report.failed) {
    process.stderr.write(`${plan.write} is left as it is: not all was measured\n`);
  } else if (plan.write !== undefined) {
    writeFileSync(plan.write, withTable(readFileSync(plan.write, 'utf8'), plan.engine, reportMarkdown(report)));
  }
  if (options.json) {
    process.stdout.write(`${JSON.stringify(report)}\n`);
    return;
  }
  const colours = process.stdout.isTTY && process.stdout.hasColors();
  process.stdout.write(
    reportLines(report)
      .map((line) => `${printLine(line, colours)}\n`)
      .join(''),
  );
}

async function measure(plan: BenchPlan, loadAtStart: number): Promise<BenchReport> {
  const begun = performance.now();
  const say = (text: string) =>
    process.stderr.write(`${formatClock(performance.now() - begun).padStart(6)}  ${text}\n`);
  const beside = plan.torch ? ' beside PyTorch' : '';
  const measured: MeasuredRow[] = [];
  const failed: Failure[] = [];
  /** An hour's figures are not lost to one network that this machine has no memory for. */
  const attempt = async <T>(what: string, measurement: Promise<T>, into: T[]) => {
    try {
      into.push(await measurement);
    } catch (error) {
      if (!(error instanceof NesgdError)) throw error;
      failed.push({ what, reason: error.message });
      say(`${what} was not measured: ${error.message}`);
    }
  };
  for (const model of plan.models) {
    say(
      `${model} on ${plan.engine}${plan.card ? `, ${plan.card.name}` : ''}, ${plural(plan.threads, 'thread')}, batch ${plan.batchOf(model)}${beside}`,
    );
    await attempt(model, measureRow(model, plan), measured);
  }
  const population: PopulationRow[] = [];
  for (const model of plan.population) {
    say(`${model}: ${plural(plan.threads, 'thread')} divided among workers${beside}`);
    await attempt(`a population of ${model}`, measurePopulation(model, plan), population);
  }
  if (measured.length === 0) throw new NesgdError('BENCH_FAILED', `nothing was measured: ${failed[0]!.reason}`);
  const matmulGflops = Math.max(...measured.map((one) => one.matmulGflops));
  const ratios = measured.flatMap(({ row: { ratio } }) => (ratio === null ? [] : [ratio]));
  return {
    machine: { ...machine(), loadAtStart, matmulGflops },
    versions: Object.assign({ node: `Node ${process.versions.node}` }, ...measured.map((one) => one.descriptions)),
    rows: measured.map(({ row }) => ({ ...row, peakShare: row.gflops / matmulGflops })),
    population,
    ...(failed.length > 0 && { failed }),
    geomeanRatio: ratios.length > 0 ? geometricMean(ratios) : null,
  };
}

function machine() {
  const processors = cpus();
  return {
    processor: processors[0]?.model.trim() ?? 'unknown',
    cores: processors.length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    os: `${type()} ${release()}`,
    date: new Date().toISOString().slice(0, 10),
  };
}

function count(flags: string, description: string): Option {
  return new Option(flags, description).argParser((text) => {
    if (!/^\d{1,5}$/.test(text) || Number(text) === 0) {
      throw new InvalidArgumentError('wants a whole number from 1 to 99999.');
    }
    return Number(text);
  });
}
