/**
 * The networks at full width, with PyTorch's weights and with ours: eval logits, gradients and twenty steps of SGD from a
 * state_dict of PyTorch's, and PyTorch's logits from the weights that ours have become.
 *
 * All distances are from PyTorch in float64; PyTorch's own float32 stands beside ours, as what rounding alone does.
 *
 * Run: npm run build && sh bench/peers/setup.sh && node bench/parity.mjs
 *   --models a,b,... (default: all)   --engine tensorflow   --threads 2   --batch 8
 *   --python PATH (with PyTorch and safetensors; default: the one of bench/peers/setup.sh)
 *   --write (puts the table into docs/benchmarks.md)
 */
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { readCheckpoint, writeCheckpoint } from '@nesgd/core/checkpoint';
import { modelSpec } from '@nesgd/core/models';
import { MODEL_NAMES } from '@nesgd/core/protocol';
import { defaultCacheRoot } from '@nesgd/core/storage';
import { createEngine, Network, Sgd, trainStep } from '@nesgd/core/training';
import { withTable } from '../apps/coordinator/dist/bench/write-table.js';
import { float32Values, parseSafetensors } from '../packages/core/dist/training/safetensors.js';
import { fromKernelLayout } from '../packages/core/dist/training/weights.js';

/**
 * Parts of: the logits' range; each parameter's gradient as a vector, by its length; the first loss. A ReLU near its
 * kink goes one way or the other by rounding, which changes gradients, and training carries that on: where that takes
 * PyTorch's own float32 far, ours may go thrice as far.
 */
const TOLERANCES = { logits: 1e-3, gradients: 0.1, losses: 0.02, back: 1e-3 };
const TIMES_PYTORCHS_OWN = 3;

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const { values: options } = parseArgs({
  options: {
    models: { type: 'string', default: MODEL_NAMES.join() },
    engine: { type: 'string', default: 'tensorflow' },
    threads: { type: 'string', default: '2' },
    batch: { type: 'string', default: '8' },
    python: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});
const python = options.python ?? join(defaultCacheRoot(process.env), 'bench-peers/bin/python');
if (!existsSync(python)) {
  console.error(`there is no PyTorch to compare with (${python}): run sh bench/peers/setup.sh, or give --python`);
  process.exit(2);
}

async function peer(...args) {
  const { stdout } = await promisify(execFile)(python, [here('peers/parity.py'), ...args]);
  return JSON.parse(stdout);
}

const engine = await createEngine(options.engine, Number(options.threads));
const rows = [];
for (const model of options.models.split(',')) {
  console.error(`${model}: ${(performance.now() / 1000).toFixed(0)} s`);
  const folder = mkdtempSync(join(tmpdir(), 'nesgd-parity-'));
  try {
    rows.push({ model, ...(await compare(model, folder)) });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function compare(model, folder) {
  const { torch, training, single } = await peer('make', model, folder, options.batch);
  const file = join(folder, 'reference.safetensors');
  const { tensors } = parseSafetensors(readFileSync(file), file);
  const reference = (name) => float32Values(tensors.get(name));
  const network = new Network(engine, modelSpec(model, [32, 32, 3], 10));
  const { spec } = network;
  const weightsFile = join(folder, 'weights.safetensors');
  const weights = readCheckpoint(readFileSync(weightsFile), spec, weightsFile);
  const images = reference('images');
  const labels = Int32Array.from(reference('labels'));
  const batches = tensors.get('images').shape[0];
  const part = (values, i) => values.subarray((i * values.length) / batches, ((i + 1) * values.length) / batches);

  network.load(weights);
  const logits = logitsOf(network, part(images, 0));
  const gradients = gradientDistance(network, part(images, 0), part(labels, 0), reference);
  network.load(weights);
  const losses = [];
  const sgd = new Sgd(network, training, () => 1);
  for (const [step, rate] of training.learningRates.entries()) {
    const [pixels, classes] = [part(images, step % batches), part(labels, step % batches)];
    losses.push(trainStep(network, sgd, pixels, classes, rate) / classes.length);
  }
  sgd.dispose();
  writeFileSync(join(folder, 'ours.safetensors'), writeCheckpoint(spec, network.weights()));
  const trained = logitsOf(network, part(images, 0));
  network.dispose();
  if (engine.memory().tensors !== 0) throw new Error(`${model} left ${engine.memory().tensors} tensors behind`);
  const wantedLosses = reference('losses');
  const back = (await peer('load', model, folder)).flat();
  return {
    torch,
    losses: { first: losses[0], last: losses.at(-1) },
    ours: {
      logits: partOfRange(logits, reference('logits')),
      gradients,
      losses: Math.max(...losses.map((loss, i) => Math.abs(loss - wantedLosses[i]))) / wantedLosses[0],
      back: partOfRange(trained, back),
    },
    single,
  };
}

function logitsOf(network, pixels) {
  const x = engine.tensor(pixels, [pixels.length / (32 * 32 * 3), 32, 32, 3]);
  const logits = network.logits(x);
  const values = engine.read(logits);
  for (const tensor of [x, logits]) tensor.dispose();
  return values;
}

function gradientDistance(network, pixels, labels, reference) {
  const x = engine.tensor(pixels, [labels.length, 32, 32, 3]);
  const y = engine.labels(labels);
  const { loss, gradients } = network.gradients(x, y);
  let worst = 0;
  for (const [i, { name, shape }] of network.trainable.entries()) {
    const values = engine.read(gradients[i]);
    const got = shape.length === 4 ? fromKernelLayout(values, shape) : values;
    let [difference, length] = [0, 0];
    for (const [k, wanted] of reference(`gradient.${name}`).entries()) {
      difference += (got[k] - wanted) ** 2;
      length += wanted ** 2;
    }
    worst = Math.max(worst, Math.sqrt(difference / length));
  }
  for (const tensor of [x, y, loss, ...gradients]) tensor.dispose();
  return worst;
}

function partOfRange(got, wanted) {
  const range = Math.max(...wanted) - Math.min(...wanted);
  return Math.max(...wanted.map((value, i) => Math.abs(value - got[i]))) / range;
}

const short = (value) => (value === undefined ? '-' : value.toExponential(1));
const within = ({ ours, single }, what) =>
  ours[what] <= Math.max(TOLERANCES[what], TIMES_PYTORCHS_OWN * (single[what] ?? 0));
const failed = rows.filter((row) => !Object.keys(TOLERANCES).every((what) => within(row, what)));
const pair = ({ ours, single }, what) => `${short(ours[what])} (${short(single[what])})`;
const report = [
  '| network | logits | gradients | losses of 20 steps | first and last loss | back in PyTorch: logits |',
  '|---|---|---|---|---|---|',
  ...rows.map((row) =>
    [
      ...['', row.model, pair(row, 'logits'), pair(row, 'gradients'), pair(row, 'losses')],
      ...[`${row.losses.first.toFixed(2)}, ${row.losses.last.toFixed(2)}`, short(row.ours.back), ''],
    ]
      .join(' | ')
      .trim(),
  ),
  `| _tolerance_ | ${[TOLERANCES.logits, TOLERANCES.gradients, TOLERANCES.losses].map(short).join(' | ')} | | ${short(TOLERANCES.back)} |`,
  '',
  `${engine.description}; ${rows[0]?.torch}; batch ${options.batch}; in brackets PyTorch's own float32, three times which is tolerated too.`,
].join('\n');
console.log(report);
if (options.write) {
  const file = here('../docs/benchmarks.md');
  writeFileSync(file, withTable(readFileSync(file, 'utf8'), 'parity', report));
}
if (failed.length > 0) {
  console.error(`beyond tolerance: ${failed.map(({ model }) => model).join(', ')}`);
  process.exitCode = 1;
}
