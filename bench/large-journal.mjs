/**
 * Writes a run as large as a dashboard is asked to show: `node bench/large-journal.mjs FOLDER [RUN_ID]` makes
 * FOLDER/RUN_ID with 50 generations of 2,000 individuals of 60 blocks, each with a curve of 4 epochs, about 110 MB. The
 * facts are consistent (generations hold what was evaluated, with its accuracy) but drawn at random, not searched for.
 */
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { simulatedRun } from '../apps/coordinator/dist/simulate/simulated-run.js';
import { rngAt } from '../packages/core/dist/evolution/index.js';

const BLOCKS = 60;
const POPULATION = 2_000;
const GENERATIONS = 50;
const EPOCHS = 4;
const IMAGES = 45_000;

const [folder, runId = 'large'] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write('usage: node bench/large-journal.mjs FOLDER [RUN_ID]\n');
  process.exit(2);
}

const rng = rngAt(1, 'large journal');
const at = '2026-01-31T12:00:00.000Z';
const path = join(folder, runId);
await mkdir(path, { recursive: true });
const file = createWriteStream(join(path, 'journal.jsonl'), { flags: 'wx' });
let seq = 0;

async function append(fact, provenance) {
  const line = JSON.stringify({ seq, meta: { at, ...(provenance && { provenance }) }, fact });
  seq += 1;
  if (!file.write(`${line}\n`)) await once(file, 'drain');
}

function curve(accuracy) {
  return Array.from({ length: EPOCHS }, (_, i) => ({
    epoch: i + 1,
    trainLoss: 2 / (i + 1) + 0.1 * rng.uniform(),
    accuracy: Math.round(1e4 * accuracy * (0.7 + (0.3 * (i + 1)) / EPOCHS)) / 1e4,
  }));
}

async function evaluated() {
  const mask = Array.from({ length: BLOCKS }, () => (rng.uniform() < 0.5 ? 0 : 1));
  const fitness = Math.round(1e4 * (0.5 + 0.4 * rng.uniform())) / 1e4;
  const provenance = { worker: `worker-${1 + (seq % 8)}`, engine: 'wasm', seconds: 30 + 10 * rng.uniform() };
  await append(
    {
      type: 'evaluated',
      mask: mask.join(''),
      repeat: 0,
      accuracy: fitness,
      curve: curve(fitness),
      weights: null,
      imagesTrained: EPOCHS * IMAGES,
    },
    provenance,
  );
  return { mask, fitness };
}

async function evaluatedMany() {
  const individuals = [];
  for (let i = 0; i < POPULATION; i += 1) individuals.push(await evaluated());
  return individuals;
}

const opened = simulatedRun({ seed: 1, populationSize: POPULATION, generations: GENERATIONS, blocks: BLOCKS });
const { alpha, retrain } = opened.experiment;
await append({
  ...opened,
  runId,
  experiment: { ...opened.experiment, alpha: { ...alpha, epochs: EPOCHS }, retrain: { ...retrain, epochs: EPOCHS } },
});
await append({
  type: 'alpha',
  accuracy: 0.7,
  curve: curve(0.7),
  weights: 'b'.repeat(64),
  imagesTrained: EPOCHS * IMAGES,
});

let parents = await evaluatedMany();
for (let t = 0; t <= GENERATIONS; t += 1) {
  const offspring = t === 0 ? [] : await evaluatedMany();
  const pool = t === 0 ? parents : [...parents, ...offspring];
  parents = pool.toSorted((a, b) => b.fitness - a.fitness).slice(0, POPULATION);
  await append({
    type: 'generation',
    t,
    parents,
    best: parents[0],
    nabla: parents[0].fitness - parents.at(-1).fitness,
    offspring,
    lineage: offspring.map((_, i) => ({ parents: [i, (i + 1) % POPULATION], crossover: true, mutated: [i % BLOCKS] })),
    pool,
    clusters: pool.map((_, i) => i >> 2),
    suppressed: [],
  });
}
file.end();
await finished(file);
