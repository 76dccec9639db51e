import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalFacts, type Dispatcher, type Fact, type JobOutcome, openRun, readJournal } from '@nesgd/core/run';
import { BlobStore, type CacheFolder, cacheFolder, trainingKey } from '@nesgd/core/storage';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { conductRun } from '../../apps/coordinator/src/conduct-run.js';
import { LocalDispatcher } from '../../apps/coordinator/src/dispatch/local-dispatcher.js';
import { Workplace, writeExperiment } from '../support/cli.js';
import { tinyExperiment } from '../support/tiny.js';

/**
 * A recorded run whose journal is cut or damaged, and gone on with by the real coordinator's code. Jobs are answered by
 * what the undisturbed run got for the very same job; a job that it never sent fails the test.
 */
let workplace: Workplace;
let cache: CacheFolder;
let journal: Buffer;
let facts: Fact[];
const recorded = new Map<string, JobOutcome>();
let weightsOfAll: BlobStore;
const signal = new AbortController().signal;

beforeAll(async () => {
  workplace = await Workplace.create();
  cache = cacheFolder(workplace.env.NESGD_CACHE as string);
  weightsOfAll = new BlobStore(join(workplace.folder, 'weights'));
  const experiment = await writeExperiment(join(workplace.folder, 'tiny.yaml'), tinyExperiment());
  await workplace.start(['run', experiment, '--run-id', 'whole', '--broker', 'local', '--json']).summary();
  journal = await readFile(join(workplace.runs, 'whole', 'journal.jsonl'));
  facts = canonicalFacts((await readJournal(join(workplace.runs, 'whole', 'journal.jsonl'))).lines);

  // The same once more, from alpha on, with every answer written down.
  const firstLine = journal.indexOf('\n') + 1;
  const local = new LocalDispatcher({ workers: 1, cacheRoot: cache.root });
  const recording: Dispatcher = {
    async dispatch(job, handlers) {
      const outcome = await local.dispatch(job, handlers);
      recorded.set(trainingKey(job), outcome);
      if (outcome.result.weights) await cache.blobs.copyTo(weightsOfAll, outcome.result.weights);
      return outcome;
    },
    close: () => local.close(),
  };
  await rm(cache.alphas, { recursive: true });
  await expect(goOn(journal.subarray(0, firstLine), recording)).resolves.toEqual(facts);
  await local.close();
});
afterAll(() => workplace.destroy());

const replaying: Dispatcher = {
  async dispatch(job) {
    const outcome = recorded.get(trainingKey(job));
    if (!outcome) throw new Error(`the undisturbed run has never sent this job: ${JSON.stringify(job)}`);
    if (outcome.result.weights) await weightsOfAll.copyTo(cache.blobs, outcome.result.weights);
    return outcome;
  },
  close: async () => {},
};

/** Goes on with a run that has this journal, and the files that were there by then. @returns its facts at the end. */
async function goOn(bytes: Uint8Array, dispatcher: Dispatcher = replaying): Promise<Fact[]> {
  const path = join(workplace.runs, 'cut');
  await rm(path, { recursive: true, force: true });
  await mkdir(path, { recursive: true });
  await writeFile(join(path, 'journal.jsonl'), bytes);
  const run = await openRun(workplace.runs, 'cut');
  try {
    await conductRun({ run, dispatcher, cache, trainImages: 480, watch: () => {}, signal });
  } finally {
    await run.close();
  }
  return canonicalFacts((await readJournal(join(path, 'journal.jsonl'))).lines);
}

/** Positions behind the ends of lines. */
function* boundaries(): Generator<number> {
  for (let at = journal.indexOf('\n'); at >= 0; at = journal.indexOf('\n', at + 1)) yield at + 1;
}

it('cut behind any of its records, a run goes on to the same facts', async () => {
  for (const length of boundaries())
    expect(await goOn(journal.subarray(0, length)), `cut at byte ${length}`).toEqual(facts);
});

it('cut at any byte of its last record, a run goes on to the same facts', async () => {
  const begin = journal.lastIndexOf('\n', journal.length - 2) + 1;
  for (let length = begin; length <= journal.length; length++) {
    expect(await goOn(journal.subarray(0, length)), `cut at byte ${length}`).toEqual(facts);
  }
});

it('cut within its first record, a journal is said to be no run, and is left as it is', async () => {
  const firstLine = journal.indexOf('\n') + 1;
  for (const length of [0, 1, firstLine >> 1, firstLine - 1]) {
    await expect(goOn(journal.subarray(0, length))).rejects.toThrow(
      'does not start with the fact "opened": it is not a run\'s journal',
    );
  }
});

it('cut at a few places, and gone on with by `nesgd resume` with real trainings, a run comes to the same facts', async () => {
  const ends = [...boundaries()];
  for (const [i, length] of [ends[1]! - 7, ends[Math.floor(ends.length / 2)]! + 20].entries()) {
    const id = `resumed-${i}`;
    await cp(join(workplace.runs, 'whole'), join(workplace.runs, id), { recursive: true });
    await writeFile(join(workplace.runs, id, 'journal.jsonl'), journal.subarray(0, length));
    await workplace.start(['resume', id, '--broker', 'local', '--json']).summary();
    expect(canonicalFacts((await readJournal(join(workplace.runs, id, 'journal.jsonl'))).lines)).toEqual(facts);
  }
});

it('a byte that turned over anywhere is refused by the number of its line, or ends in the same facts', async () => {
  const path = join(workplace.folder, 'flipped.jsonl');
  const last = journal.lastIndexOf('\n', journal.length - 2) + 1;
  let refused = 0;
  // Every 7th byte, one bit of it: digits stay digits, letters letters, and quotes turn into something else.
  for (let at = 0; at < journal.length; at += 7) {
    const flipped = Buffer.from(journal);
    flipped[at]! ^= 1;
    await writeFile(path, flipped);
    const line = journal.subarray(0, at).filter((byte) => byte === 0x0a).length + 1;
    const read = readJournal(path);
    if (at >= last && flipped.at(-1) !== 0x0a) {
      expect((await read).wholeBytes).toBe(last); // Its end is gone: a torn last line, which is dropped.
      continue;
    }
    await expect(read, `byte ${at}`).rejects.toThrow(
      new RegExp(`flipped\\.jsonl, line ${line} is (damaged|not a fact)`),
    );
    refused += 1;
  }
  expect(refused).toBeGreaterThan(500);
});

it('a line that is missing or stands there twice is named, and nothing is written', async () => {
  const path = join(workplace.runs, 'cut', 'journal.jsonl');
  const texts = journal.toString('utf8').split('\n');
  for (const changed of [texts.toSpliced(3, 1), texts.toSpliced(3, 0, texts[3]!)]) {
    const bytes = Buffer.from(changed.join('\n'));
    await expect(goOn(bytes)).rejects.toThrow(
      /journal\.jsonl, line [45]: its seq is \d, not \d: lines are missing or doubled/,
    );
    expect(await readFile(path)).toEqual(bytes);
  }
  expect(await readdir(join(workplace.runs, 'cut'))).toEqual(['journal.jsonl']);
});
