/**
 * A data set of image files: packed into an empty cache, then opened again as a second run does.
 * Run: npm run build && node bench/pack.mjs PATH [REPETITIONS]
 *   PATH: a folder or an archive of images, a folder a class; REPETITIONS: 3 by default
 * Prints images a second and milliseconds of each repetition, and their medians.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { prepareDataset } from '@nesgd/core/datasets';
import { median } from '../apps/coordinator/dist/bench/statistics.js';

const [path, repetitions = '3'] = process.argv.slice(2);
if (path === undefined || !/^[1-9]\d?$/.test(repetitions)) {
  process.stderr.write('usage: node bench/pack.mjs PATH [REPETITIONS, 1 to 99]\n');
  process.exit(2);
}
const spec = /** @type {any} */ ({ name: 'custom', path: resolve(path), validationFraction: 0.1, augmentation: {} });

const packed = [];
const opened = [];
for (let i = 0; i < Number(repetitions); i++) {
  const cache = mkdtempSync(join(tmpdir(), 'nesgd-pack-'));
  try {
    const begun = performance.now();
    const { trainCount, testCount } = await prepareDataset(spec, cache);
    const done = performance.now();
    await prepareDataset(spec, cache);
    packed.push((1000 * (trainCount + testCount)) / (done - begun));
    opened.push(performance.now() - done);
    console.log(`${packed.at(-1).toFixed(0)} images/s, opened again in ${opened.at(-1).toFixed(0)} ms`);
  } finally {
    rmSync(cache, { recursive: true });
  }
}
console.log(`median: ${median(packed).toFixed(0)} images/s, opened again in ${median(opened).toFixed(0)} ms`);
