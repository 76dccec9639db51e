/**
 * Training steps (forward, backward, SGD with momentum and weight decay; 32x32x3 images) with ours and with PyTorch
 * (eager, channels_last), on the same threads, in turn: pairs of measurements, now one first, now the other.
 * Then a population: as many workers of one thread as there are threads, beside one worker with all the threads.
 *
 * Run: npm run build && sh bench/peers/setup.sh && node bench/training.mjs
 *   --models resnet20,resnet18   --batch 128   --pairs 9   --threads 2 (of the tensorflow engine and its peer)
 *   --engines tensorflow,wasm (wasm, which has one thread, is compared with PyTorch on one)
 *   --python PATH (with PyTorch; default: the one of bench/peers/setup.sh)
 *   --json (one line of data)   --write (puts the table into docs/benchmarks.md; refuses a busy machine)
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { defaultCacheRoot } from '@nesgd/core/storage';
import { StepProcess } from './step-process.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const { values: options } = parseArgs({
  options: {
    models: { type: 'string', default: 'resnet20,resnet18' },
    engines: { type: 'string', default: 'tensorflow,wasm' },
    threads: { type: 'string', default: '2' },
    batch: { type: 'string', default: '128' },
    pairs: { type: 'string', default: '9' },
    python: { type: 'string' },
    json: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});
const [threads, batch, pairs] = [options.threads, options.batch, options.pairs].map(Number);
const python = options.python ?? join(defaultCacheRoot(process.env), 'bench-peers/bin/python');
if (!existsSync(python)) {
  console.error(`there is no PyTorch to compare with (${python}): run sh bench/peers/setup.sh, or give --python`);
  process.exit(2);
}

const loadAtStart = loadavg()[0];
if (options.write && loadAtStart > 0.5) {
  console.error(
    `others use this machine (load average ${loadAtStart.toFixed(1)}): figures to be kept need a quiet one`,
  );
  process.exit(1);
}

/** Long enough that a step more or less of noise does not matter. */
const SECONDS_A_MEASUREMENT = 2;

const ours = (model, engine, n) =>
  StepProcess.start(process.execPath, [here('training-worker.mjs'), model, n, batch, engine]);
const peer = (model, n) => StepProcess.start(python, [here('peers/pytorch_training.py'), model, n, batch]);

const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const say = (text) => console.error(`${((performance.now() - begun) / 1000).toFixed(0).padStart(4)} s  ${text}`);

/** Steps that fill a measurement; the warm-up that finds them out is thrown away. */
async function stepsFor(processes) {
  const seconds = [];
  for (const process of processes) {
    await process.train(1);
    seconds.push(await process.train(1));
  }
  return Math.max(1, Math.round(SECONDS_A_MEASUREMENT / Math.max(...seconds)));
}

/**
 * Medians over pairs of measurements of `a` and `b`, functions that train and return images per second.
 * The ratio is the median of the pairs' ratios: what changes in the machine meanwhile meets both of a pair.
 */
async function compare(a, b) {
  const measured = [];
  for (let pair = 0; pair < pairs; pair++) {
    const rates = { a: 0, b: 0 };
    for (const name of pair % 2 === 0 ? ['a', 'b'] : ['b', 'a']) {
      // The other's threads spin for a moment before they sleep.
      await pause(200);
      rates[name] = await (name === 'a' ? a() : b());
    }
    measured.push(rates);
  }
  return {
    a: median(measured.map((rates) => rates.a)),
    b: median(measured.map((rates) => rates.b)),
    ratio: median(measured.map((rates) => rates.a / rates.b)),
    lowest: Math.min(...measured.map((rates) => rates.a / rates.b)),
    highest: Math.max(...measured.map((rates) => rates.a / rates.b)),
  };
}

/** Images per second of all together, each training `steps`. */
async function rate(processes, steps) {
  const start = performance.now();
  await Promise.all(processes.map((process) => process.train(steps)));
  return (1000 * processes.length * steps * batch) / (performance.now() - start);
}

async function withProcesses(starting, use) {
  const processes = await Promise.all(starting);
  try {
    return await use(processes);
  } finally {
    await Promise.all(processes.map((process) => process.stop()));
  }
}

const engineThreads = (engine) => (engine === 'wasm' ? 1 : threads);

const besidePyTorch = (model, engine) =>
  withProcesses([ours(model, engine, engineThreads(engine)), peer(model, engineThreads(engine))], async ([a, b]) => {
    const steps = await stepsFor([a, b]);
    const result = await compare(
      () => rate([a], steps),
      () => rate([b], steps),
    );
    versions.add(a.description).add(b.description);
    return { kind: 'ours/torch', model, engine, threads: engineThreads(engine), ...result };
  });

const population = (model) => {
  const many = Array.from({ length: threads }, () => ours(model, 'tensorflow', 1));
  return withProcesses([ours(model, 'tensorflow', threads), ...many], async ([one, ...all]) => {
    const steps = await stepsFor([one, ...all]);
    const result = await compare(
      () => rate(all, steps),
      () => rate([one], steps),
    );
    return { kind: 'many/one', model, engine: 'tensorflow', threads, ...result };
  });
};

const begun = performance.now();
const versions = new Set();
const results = [];
for (const engine of options.engines.split(',')) {
  for (const model of options.models.split(',')) {
    say(`${model} on ${engine} beside PyTorch`);
    results.push(await besidePyTorch(model, engine));
    if (engine !== 'tensorflow' || threads === 1) continue;
    say(`${model}: ${threads} workers of one thread beside one of ${threads}`);
    results.push(await population(model));
  }
}

const environment = {
  date: new Date().toISOString().slice(0, 10),
  machine: `${cpus().length} x ${cpus()[0].model.trim()}, Linux ${release()}`,
  versions: [`Node ${process.versions.node}`, ...versions],
  loadAtStart,
  batch,
  pairs,
};
const row = ({ kind, model, engine, threads: n, a, b, ratio, lowest, highest }) => {
  const [left, right] = kind === 'ours/torch' ? ['ours', 'PyTorch'] : [`${n} x 1 thread`, `1 x ${n} threads`];
  const compared = kind === 'ours/torch' ? 'ours / PyTorch' : 'workers';
  const cells = [compared, model, engine, n, `${left}: ${a.toFixed(0)}`, `${right}: ${b.toFixed(0)}`];
  return `| ${[...cells, `**${ratio.toFixed(2)}**`, `${lowest.toFixed(2)}-${highest.toFixed(2)}`].join(' | ')} |`;
};
const report = [
  '| compared | network | engine | threads | images/s | images/s | ratio (median of pairs) | range |',
  '|---|---|---|---|---|---|---|---|',
  ...results.map(row),
  '',
  `${environment.date}; ${environment.machine}; ${environment.versions.join('; ')}.`,
  `Batch ${batch}, ${pairs} pairs, load average at the start ${loadAtStart.toFixed(1)}.`,
].join('\n');
console.log(options.json ? JSON.stringify({ environment, results }) : report);
if (options.write) {
  const file = here('../docs/benchmarks.md');
  const [begin, end] = ['<!-- training: begin -->', '<!-- training: end -->'];
  const text = readFileSync(file, 'utf8');
  const [before, after] = [text.split(begin)[0], text.split(end)[1]];
  writeFileSync(file, `${before}${begin}\n\n${report}\n\n${end}${after}`);
}
