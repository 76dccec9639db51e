import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { detectEngines } from '@nesgd/core/runtime';
import { defaultCacheRoot } from '@nesgd/core/storage';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BenchReport } from '../../apps/coordinator/src/bench/report.js';
import { childrenOf, until, Workplace } from '../support/cli.js';

/** Speaks as bench/peers/pytorch_training.py does, trains nothing, notes its steps, and cannot compile. */
const FAKE_PYTHON = `#!${process.execPath}
const { createInterface } = require('node:readline');
if (process.argv[2] === '-c') process.exit(process.env.NO_TORCH ? (console.error('No module named torch'), 1) : 0);
const settings = JSON.parse(process.argv.at(-1));
if (settings.mode === 'compile') throw new Error('no compiler');
const say = (answer) => console.log(JSON.stringify(answer));
if (settings.model === 'resnet14') process.exit(console.error('no memory left') ?? 1);
say({ ready: 'Torch of ' + settings.threads });
createInterface({ input: process.stdin }).on('line', (line) => {
  const { do: what, steps } = JSON.parse(line);
  if (what === 'memory') return say({ peakMb: 100 });
  require('node:fs').appendFileSync('steps.txt', steps + ' ');
  setTimeout(() => say({ seconds: steps }), 5 * steps);
});
`;

let workplace: Workplace;
let python: string;

beforeAll(async () => {
  workplace = await Workplace.create();
  python = join(workplace.folder, 'python');
  await writeFile(python, FAKE_PYTHON);
  await chmod(python, 0o755);
});
afterAll(() => workplace.destroy());

const tiny = ['--models', 'resnet8', '--batch', '4', '--pairs', '1', '--steps', '1', '--json'];
const bench = (...args: string[]) => workplace.start(['bench', ...args]);

const engines = Object.entries(detectEngines(defaultCacheRoot(process.env))).filter(([, finding]) => finding.usable);

describe('nesgd bench --json', () => {
  it.each(engines.map(([name]) => name))('gives on %s every figure of a network, measured', async (engine) => {
    const report = await bench(...tiny, '--engine', engine, '--threads', '1').summary<BenchReport>();
    expect(Object.keys(report)).toEqual(['machine', 'versions', 'rows', 'population', 'geomeanRatio']);
    const [row, ...others] = report.rows;
    expect(others).toEqual([]);
    expect(row).toMatchObject({ model: 'resnet8', engine, batch: 4, threads: 1, peer: null, ratio: null });
    expect(row!.imagesPerSecond * row!.msPerStep).toBeCloseTo(4 * 1000, 6);
    // ResNet-8: 12,501,632 multiply-adds forward, 442,368 of them in the first layer.
    const flops = 6 * 12_501_632 - 2 * 442_368;
    expect(row!.gflops).toBeCloseTo((flops * row!.imagesPerSecond) / 1e9, 6);
    expect(row!.peakShare).toBeCloseTo(row!.gflops / report.machine.matmulGflops, 6);
    expect(report.machine.matmulGflops).toBeGreaterThan(0);
    expect(row!.rssMb).toBeGreaterThan(50);
    expect(report.geomeanRatio).toBeNull();
    expect(report.versions).toMatchObject({ node: `Node ${process.versions.node}` });
  });

  it('beside a peer: its figures, ratios, and a population in the best of all splits', async () => {
    const report = await bench(
      ...[...tiny, '--threads', '2', '--engine', engines[0]![0], '--peer', 'torch', '--python', python],
      ...['--compiled', '--population', 'resnet8', '--steps', '2'],
    ).summary<BenchReport>();
    // Two steps to warm up, then one pair; for the network, then for its population.
    expect(await readFile(join(workplace.folder, 'steps.txt'), 'utf8')).toBe('1 1 2 1 1 2 ');
    const [row] = report.rows;
    expect(row!.peer).toMatchObject({ name: 'Torch of 2 (eager, channels_last)', rssMb: 100 });
    expect(row!.ratio).toBeCloseTo(row!.imagesPerSecond / row!.peer!.imagesPerSecond, 6);
    expect(row!.compiled).toEqual({ name: 'torch.compile', failed: expect.stringContaining('ended with code 1') });
    expect(report.geomeanRatio).toBeCloseTo(row!.ratio!, 6);
    const [population] = report.population;
    expect(population!.splits.map(({ workers, threads }) => [workers, threads])).toEqual([
      [2, 1],
      [1, 2],
    ]);
    const best = population!.splits.toSorted((a, b) => b.imagesPerSecond - a.imagesPerSecond)[0];
    expect(population).toMatchObject({ model: 'resnet8', workers: best!.workers, threads: best!.threads });
    expect(population!.ratio).toBeCloseTo(population!.imagesPerSecond / population!.peerImagesPerSecond!, 6);
  });

  it('measures the others where one network fails, and a population of those that have a bar', async () => {
    const cli = bench(
      ...['--models', 'resnet14,resnet20', '--batch', '4', '--pairs', '1', '--steps', '1', '--json'],
      ...['--threads', '2', '--engine', engines[0]![0], '--peer', 'torch', '--python', python],
    );
    expect(await cli.exited, cli.stderr).toEqual({ code: 1, signal: null });
    const report = JSON.parse(cli.stdout) as BenchReport;
    expect(report.rows.map(({ model }) => model)).toEqual(['resnet20']);
    expect(report.population.map(({ model }) => model)).toEqual(['resnet20']);
    expect(report.failed).toEqual([{ what: 'resnet14', reason: expect.stringContaining('no memory left') }]);
  });
});

it('nesgd bench: when it is killed, what trains for it ends too', async () => {
  const cli = bench('--models', 'resnet8', '--batch', '4', '--steps', '1', '--pairs', '9999', '--threads', '1');
  const [child] = await until('a process trains', async () => {
    const found = await childrenOf(cli.child.pid as number, 'step-main.js');
    return found.length > 0 && found;
  });
  cli.child.kill('SIGKILL');
  await cli.exited;
  await until('it ends', async () => {
    try {
      process.kill(child as number, 0);
      return false;
    } catch {
      return true;
    }
  });
});

describe('nesgd bench refuses, with exit code 2 and before any work,', () => {
  const torch = ['--peer', 'torch', '--python'];
  it.each<[string, () => string[], RegExp]>([
    ['an unknown network', () => ['--models', 'resnet20,resnet19'], /--models: there is no network "resnet19"; wants/],
    ['no network', () => ['--models', ''], /there is no network ""/],
    ['a population of an unknown network', () => ['--population', 'x'], /--population: there is no network "x"/],
    ['an engine that is none', () => ['--engine', 'abacus'], /--engine.*auto, tensorflow, wasm/],
    ['a batch of nothing', () => ['--batch', '0'], /--batch.*whole number from 1/],
    ['half a pair', () => ['--pairs', '0.5'], /--pairs.*whole number from 1/],
    ['threads for wasm', () => ['--engine', 'wasm', '--threads', '2'], /engine wasm computes on one thread/],
    ['a device that is none', () => ['--device', 'abacus'], /--device.*cpu, gpu/],
    [
      'a card for wasm',
      () => ['--engine', 'wasm', '--device', 'gpu'],
      /--device gpu: engine wasm computes on the proc/,
    ],
    ['another peer', () => ['--peer', 'jax'], /--peer.*torch/],
    ['--compiled without a peer', () => ['--compiled'], /--compiled .*give --peer torch/],
    [
      'to compile what is not measured',
      () => ['--models', 'resnet8', '--compiled', 'resnet20', ...torch, python],
      /--compiled: resnet20 is not measured; --models wants it too/,
    ],
    ['--write without a peer', () => ['--write'], /--write .*give --peer torch/],
    ['a peer that is not set up', () => ['--peer', 'torch'], /there is no .*bench-peers\/bin\/python: run "sh bench/],
    ['a Python that is not there', () => [...torch, 'none'], /none has no PyTorch that loads .*ENOENT.*setup\.sh/],
    ['a file without a table', () => [...torch, python, '--write', python], /python has no lines "<!-- bench /],
    ['a file that is not there', () => [...torch, python, '--write', 'none.md'], /cannot read none\.md: ENOENT/],
    ['an argument', () => ['resnet20'], /too many arguments/],
  ])('%s', async (_, args, says) => {
    const cli = bench(...args());
    expect(await cli.exited).toEqual({ code: 2, signal: null });
    expect(cli.stderr).toMatch(says);
    expect(cli.stdout).toBe('');
  });

  it('a card that is not there', async () => {
    const cli = workplace.start(['bench', '--engine', engines[0]![0], '--device', 'gpu'], {
      CUDA_VISIBLE_DEVICES: '-1',
    });
    expect(await cli.exited).toEqual({ code: 2, signal: null });
    expect(cli.stderr).toMatch(/--device gpu: (there is no card to compute on: |engine wasm)/);
  });

  it('a Python without PyTorch', async () => {
    const cli = workplace.start(['bench', ...torch, python], { NO_TORCH: '1' });
    expect(await cli.exited).toEqual({ code: 2, signal: null });
    expect(cli.stderr).toMatch(/has no PyTorch that loads \(No module named torch\): run "sh bench\/peers\/setup\.sh"/);
  });
});
