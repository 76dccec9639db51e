/**
 * Parallel efficiency: the same generation of real trainings by two local workers and by one, one thread each, through
 * coordinator, queue and workers.
 * Run: npm run build && node bench/efficiency.mjs [pairs]   (default 3; some minutes each; not on a busy machine)
 * Prints for each pair seconds by one and by two, and the efficiency: the shortest time in which two could have done
 * the jobs as long as they took one alone, over the time they took. 1 is ideal. The last line is the median.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readJournal } from '../packages/core/dist/run/index.js';

const MAIN = fileURLToPath(new URL('../apps/coordinator/dist/main.js', import.meta.url));
/** The second generation counts: trainers are warm by then. */
const EXPERIMENT = `
name: efficiency
seed: 1
dataset: { name: mnist, trainImages: 1000, testImages: 100, validationFraction: 0.1 }
model: { name: resnet20, granularity: block }
alpha: { epochs: 1, learningRate: 0.1, batchSize: 64 }
retrain: { epochs: 2, learningRateRetained: 0.02, learningRateReinitialised: 0.1, batchSize: 64 }
evolution: { populationSize: 8, generations: 1 }
`;

const pairs = Number(process.argv[2] ?? 3);
if (!Number.isInteger(pairs) || pairs < 1)
  throw new Error('node bench/efficiency.mjs [pairs]: a whole number, 1 or more');
const folder = mkdtempSync(join(tmpdir(), 'nesgd-efficiency-'));
const file = join(folder, 'efficiency.yaml');
writeFileSync(file, EXPERIMENT);

/** @param {number} workers @param {number} pair */
async function generation(workers, pair) {
  const runId = `pair-${pair}-workers-${workers}`;
  const args = ['run', file, '--run-id', runId, '--workers', String(workers), '--runs', folder, '--json'];
  const { status, stderr } = spawnSync(process.execPath, [MAIN, ...args], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`nesgd run ended with ${status}: ${stderr}`);
  const { lines } = await readJournal(join(folder, runId, 'journal.jsonl'));
  const begun = lines.findIndex(({ fact }) => fact.type === 'generation');
  const measured = lines.slice(begun + 1).filter(({ fact }) => fact.type === 'evaluated');
  const seconds = (Date.parse(measured.at(-1)?.meta.at ?? '') - Date.parse(lines[begun]?.meta.at ?? '')) / 1000;
  return { seconds, jobs: measured.map(({ meta }) => meta.provenance?.seconds ?? Number.NaN) };
}

/** Jobs in their order, each by whoever is free first. @param {readonly number[]} jobs */
function idealOfTwo(jobs) {
  const freeAt = [0, 0];
  for (const seconds of jobs) freeAt[freeAt[0] <= freeAt[1] ? 0 : 1] += seconds;
  return Math.max(...freeAt);
}

try {
  /** @type {number[]} */
  const efficiencies = [];
  for (let pair = 1; pair <= pairs; pair++) {
    const [one, two] = [await generation(1, pair), await generation(2, pair)];
    const alone = one.jobs.reduce((sum, seconds) => sum + seconds, 0);
    // What one worker spends between jobs is its overhead as well, and counts as the two's does.
    const efficiency = (idealOfTwo(one.jobs) * (one.seconds / alone)) / two.seconds;
    efficiencies.push(efficiency);
    console.log(
      `${one.jobs.length} jobs: one ${one.seconds.toFixed(1)} s, two ${two.seconds.toFixed(1)} s, efficiency ${efficiency.toFixed(3)}`,
    );
  }
  const sorted = efficiencies.toSorted((a, b) => a - b);
  console.log(`efficiency of 2 workers: ${sorted[Math.floor(sorted.length / 2)]?.toFixed(3)} (bar 0.95)`);
} finally {
  rmSync(folder, { recursive: true });
}
