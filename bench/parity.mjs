/**
 * The networks at full width, with PyTorch's weights and with ours: eval logits, gradients and twenty steps of SGD from a
 * state_dict of PyTorch's, and PyTorch's logits from the weights that ours have become.
 *
 * All distances are from PyTorch in float64, along the branches that were taken at the kinks of ReLU and max pooling;
 * PyTorch's own float32 is measured likewise and is the yardstick (docs/decisions/0275-*).
 *
 * Run: npm run build && sh bench/peers/setup.sh && node bench/parity.mjs
 *   --models a,b,... (default: all)   --engine tensorflow   --threads 2   --batch N (default: 4; 2 for densenet100 and
 *   densenet121, which take long; 16 for dpn92, which few images make too sensitive, docs/decisions/0275-*)
 *   --python PATH (with PyTorch and safetensors; default: the one of bench/peers/setup.sh)
 *   --write (puts the table into docs/benchmarks.md)
 */
import { execFile } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { readCheckpoint, writeCheckpoint } from '@nesgd/core/checkpoint';
import { modelSpec } from '@nesgd/core/models';
import { MODEL_NAMES } from '@nesgd/core/protocol';
import { defaultCacheRoot } from '@nesgd/core/storage';
import { createEngine, Network, Sgd, trainStep } from '@nesgd/core/training';
import { withTable } from '../apps/coordinator/dist/bench/write-table.js';
import { float32Values, formatSafetensors, parseSafetensors } from '../packages/core/dist/training/safetensors.js';
import { fromKernelLayout } from '../packages/core/dist/training/weights.js';
import { tellingBranches } from './branches.mjs';

/**
 * Ours may be so many times as far from float64 as PyTorch's float32: two for another order of sums, two for Winograd's
 * transformations. And by this more, sixteen units of float32's rounding, where PyTorch happens to be exact.
 */
const TIMES_PYTORCHS_OWN = 4;
const FLOOR = 2 ** -20;
/** What is judged by that. */
const JUDGED = ['logits', 'gradients', 'losses', 'back'];
/** A branch that float64 would not have taken is at most this far from the kink: the bound that logits have, too. */
const FARTHEST_BRANCH = 1e-3;

const BATCH = 4;
const BATCHES = { densenet100: 2, densenet121: 2, dpn92: 16 };

const COLUMNS = [
  ...['network', 'batch', 'logits', 'gradients', 'losses of 20 steps', 'first and last loss'],
  'back in PyTorch: logits',
  ...['other branches, of millions', 'farthest', 'on float64’s branches: gradients', 'losses'],
];

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const { values: options } = parseArgs({
  options: {
    models: { type: 'string', default: MODEL_NAMES.join() },
    engine: { type: 'string', default: 'tensorflow' },
    threads: { type: 'string', default: '2' },
    batch: { type: 'string' },
    python: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});
const batchOf = (model) => Number(options.batch ?? BATCHES[model] ?? BATCH);
const python = options.python ?? join(defaultCacheRoot(process.env), 'bench-peers/bin/python');
if (!existsSync(python)) {
  console.error(`there is no PyTorch to compare with (${python}): run sh bench/peers/setup.sh, or give --python`);
  process.exit(2);
}

async function peer(...args) {
  const env = { ...process.env, OMP_NUM_THREADS: options.threads };
  const { stdout } = await promisify(execFile)(python, [here('peers/parity.py'), ...args], { env });
  return JSON.parse(stdout);
}

const engine = await createEngine(/** @type {any} */ (options.engine), Number(options.threads));
const rows = [];
for (const model of options.models.split(',')) {
  console.error(`${model}: begun after ${(performance.now() / 1000).toFixed(0)} s`);
  const folder = mkdtempSync(join(tmpdir(), 'nesgd-parity-'));
  try {
    rows.push({ model, ...(await compare(model, folder)) });
    console.error(cells(rows.at(-1)));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function compare(model, folder) {
  const { torch, training, single } = await peer('make', model, folder, String(batchOf(model)));
  const file = join(folder, 'inputs.safetensors');
  const { tensors } = parseSafetensors(readFileSync(file), file);
  const images = float32Values(tensors.get('images'));
  const labels = Int32Array.from(float32Values(tensors.get('labels')));
  const batches = tensors.get('images').shape[0];
  const part = (values, i) => values.subarray((i * values.length) / batches, ((i + 1) * values.length) / batches);

  const kinds = [];
  let step = 0;
  const telling = tellingBranches(engine, (kind, bytes) => {
    if (step === 0) kinds.push(kind);
    appendFileSync(join(folder, `branches-${step}.bin`), bytes);
  });
  const network = new Network(engine, modelSpec(model, [32, 32, 3], 10));
  const { spec } = network;
  const weightsFile = join(folder, 'weights.safetensors');
  const weights = readCheckpoint(readFileSync(weightsFile), spec, weightsFile);
  network.load(weights);
  const logits = logitsOf(network, part(images, 0));
  const gradients = gradientsOf(network, part(images, 0), part(labels, 0));
  writeFileSync(join(folder, 'gradients.safetensors'), formatSafetensors(gradients, {}));
  network.dispose();

  const trained = new Network(telling, spec);
  trained.load(weights);
  const losses = [];
  const sgd = new Sgd(trained, training, () => 1);
  for (const rate of training.learningRates) {
    const [pixels, classes] = [part(images, step % batches), part(labels, step % batches)];
    losses.push(trainStep(trained, sgd, pixels, classes, rate) / classes.length);
    step += 1;
  }
  sgd.dispose();
  writeFileSync(join(folder, 'trained.safetensors'), writeCheckpoint(spec, trained.weights()));
  const trainedLogits = logitsOf(trained, part(images, 0));
  trained.dispose();
  if (engine.memory().tensors !== 0) throw new Error(`${model} left ${engine.memory().tensors} tensors behind`);
  const ours = { logits: [...logits], losses, trainedLogits: [...trainedLogits], branches: kinds };
  writeFileSync(join(folder, 'ours.json'), JSON.stringify(ours));
  return { torch, losses: { first: losses[0], last: losses.at(-1) }, single, ours: await peer('judge', model, folder) };
}

function logitsOf(network, pixels) {
  const x = engine.tensor(pixels, [pixels.length / (32 * 32 * 3), 32, 32, 3]);
  const logits = network.logits(x);
  const values = engine.read(logits);
  for (const tensor of [x, logits]) tensor.dispose();
  return values;
}

/** By PyTorch's names, in its layouts. */
function gradientsOf(network, pixels, labels) {
  const x = engine.tensor(pixels, [labels.length, 32, 32, 3]);
  const y = engine.labels(labels);
  const { loss, gradients } = network.gradients(x, y);
  const found = network.trainable.map(({ name, shape }, i) => {
    const values = engine.read(gradients[i]);
    return [`gradient.${name}`, { shape, values: shape.length === 4 ? fromKernelLayout(values, shape) : values }];
  });
  for (const tensor of [x, y, loss, ...gradients]) tensor.dispose();
  return new Map(found);
}

function short(value) {
  return value.toExponential(1);
}

/** PyTorch's float32, by what we are judged by. */
function single(row, what) {
  return what === 'back' ? row.single.logits : row.single[what];
}

function cells(row) {
  const both = (show) => `${show(row.ours)} (${show(row.single)})`;
  const texts = [
    row.model,
    batchOf(row.model),
    ...['logits', 'gradients', 'losses'].map((what) => both((of) => short(of[what]))),
    `${row.losses.first.toFixed(2)}, ${row.losses.last.toFixed(2)}`,
    short(row.ours.back),
    `${both(({ branches }) => branches.others)} of ${(row.ours.branches.total / 1e6).toFixed(0)}`,
    both(({ branches }) => short(branches.farthest)),
    both(({ free }) => short(free.gradients)),
    both(({ free }) => short(free.losses)),
  ];
  return `| ${texts.join(' | ')} |`;
}

const faults = rows.flatMap((row) => [
  ...JUDGED.filter((what) => !(row.ours[what] <= TIMES_PYTORCHS_OWN * single(row, what) + FLOOR)).map(
    (what) => `${row.model}: ${what} ${short(row.ours[what])}, PyTorch's float32 ${short(single(row, what))}`,
  ),
  ...(row.ours.branches.farthest <= FARTHEST_BRANCH
    ? []
    : [`${row.model}: another branch than float64's, ${short(row.ours.branches.farthest)} from its kink`]),
]);
const report = [
  `| ${COLUMNS.join(' | ')} |`,
  `|${'---|'.repeat(COLUMNS.length)}`,
  ...rows.map(cells),
  '',
  `${engine.description}; ${rows[0]?.torch}; ${cpus()[0]?.model}; in brackets PyTorch's own float32.`,
].join('\n');
console.log(report);
if (options.write) {
  const file = here('../docs/benchmarks.md');
  writeFileSync(file, withTable(readFileSync(file, 'utf8'), 'parity', report));
}
if (faults.length > 0) {
  console.error(`beyond tolerance:\n${faults.join('\n')}`);
  process.exitCode = 1;
}
