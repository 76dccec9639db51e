/**
 * What a data set costs the trainers of one machine: two processes open 50,000 + 10,000 images of 32x32x3 and fill 1,000
 * augmented batches of 128 each.
 * Run: npm run build && node bench/dataset.mjs
 * Prints, of each process, how long opening took, milliseconds a batch, and by how much its own memory (anonymous resident
 * pages: what the page cache holds is shared and no part of it) grew.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { batchSource, epochAugmentation, fillBatch, openDataset, prepareDataset } from '@nesgd/core/datasets';

const PROCESSES = 2;
const BATCHES = 1000;
const BATCH = 128;

const [hash, folder] = process.argv.slice(2);
if (hash && folder) await train(hash, folder);
else await compare();

async function compare() {
  const root = mkdtempSync(join(tmpdir(), 'nesgd-bench-'));
  try {
    const path = join(root, 'data');
    const cache = join(root, 'cache');
    writeCifar(path);
    const spec = { name: 'custom', path, validationFraction: 0.1, augmentation: { padCrop: 4, horizontalFlip: true } };
    const prepared = await prepareDataset(/** @type {any} */ (spec), cache);
    const children = Array.from({ length: PROCESSES }, () =>
      fork(fileURLToPath(import.meta.url), [prepared.hash, cache], { execArgv: ['--expose-gc'] }),
    );
    await Promise.all(children.map((child) => once(child, 'exit')));
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** CIFAR-10's binary files with images of noise. */
function writeCifar(/** @type {string} */ path) {
  const { mkdirSync } = process.getBuiltinModule('node:fs');
  mkdirSync(path);
  const file = Buffer.alloc(10_000 * 3073);
  for (let i = 0, h = 1; i < file.length; i++) {
    h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d) + i;
    file[i] = i % 3073 === 0 ? (i / 3073) % 10 : h >>> 24;
  }
  for (const name of ['data_batch_1', 'data_batch_2', 'data_batch_3', 'data_batch_4', 'data_batch_5', 'test_batch'])
    writeFileSync(join(path, `${name}.bin`), file);
}

async function train(/** @type {string} */ hash, /** @type {string} */ folder) {
  const before = ownMemoryMb();
  let start = performance.now();
  const dataset = await openDataset(hash, folder);
  const source = batchSource(dataset, 'train');
  const openMs = performance.now() - start;
  const pixels = new Float32Array(BATCH * 3072);
  const labels = new Int32Array(BATCH);
  const augmentation = epochAugmentation({ padCrop: 4, horizontalFlip: true }, [1], 1);
  start = performance.now();
  for (let n = 0; n < BATCHES; n++) {
    const images = Int32Array.from({ length: BATCH }, (_, i) => (7919 * (n * BATCH + i)) % dataset.train.count);
    fillBatch(pixels, labels, source, images, augmentation);
  }
  const msPerBatch = (performance.now() - start) / BATCHES;
  console.log(
    `process ${process.pid}: opened in ${openMs.toFixed(0)} ms, ${msPerBatch.toFixed(2)} ms a batch of ${BATCH}, ${(ownMemoryMb() - before).toFixed(0)} MB more of its own`,
  );
}

function ownMemoryMb() {
  /** @type {any} */ (globalThis).gc();
  const [, kilobytes] = /RssAnon:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8')) ?? [];
  return Number(kilobytes) / 1024;
}
