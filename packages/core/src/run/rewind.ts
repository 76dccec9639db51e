import { link, open, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../errors.js';
import type { Fact, JournalLine } from './facts.js';
import { formatLine, readJournal } from './journal.js';
import { readRun, runPath } from './run-folder.js';
import { lockRun } from './run-lock.js';

/**
 * Gives the individuals of a run that were given up another chance: takes its journal back to the generation in which the
 * first of them was, so that the search goes on as if they had not been measured yet. What was measured in that generation
 * stays; what came after rests on a selection in which they counted as the worst, and is put aside with the old journal,
 * `journal.before-retry-<n>.jsonl`.
 * @returns how many were given up in what is taken back.
 * @throws InputError where none was, or a process works on the run.
 */
export async function retryGivenUp(runsFolder: string, id: string): Promise<number> {
  const { opened } = await readRun(runsFolder, id);
  const folder = runPath(runsFolder, id);
  const unlock = await lockRun(join(folder, 'lock'), id);
  try {
    const path = join(folder, 'journal.jsonl');
    const { lines } = await readJournal(path);
    const { steadyStateLag, successiveHalving } = opened.experiment.evolution;
    const standsAlone = new Set<Fact['type']>(
      steadyStateLag ? [] : successiveHalving ? ['rung'] : ['evaluated', 'rung'],
    );
    const kept = beforeGivenUp(lines, standsAlone);
    if (!kept)
      throw new InputError('RUN_STATE', `run ${id} has nothing to retry: none of its individuals was given up`);
    const closed = lines.filter(({ fact }) => fact.type === 'generation').length;
    const closedKept = kept.filter(({ fact }) => fact.type === 'generation').length;
    if (opened.experiment.evolution.inherit === 'best' && closedKept < closed) {
      throw new InputError(
        'RUN_STATE',
        `run ${id} cannot take back closed generations: with evolution.inherit: best, the networks that they began with are gone`,
      );
    }
    await replaceJournal(path, kept);
    const givenUp = (of: readonly JournalLine[]) => of.filter(({ fact }) => fact.type === 'failed').length;
    return givenUp(lines) - givenUp(kept);
  } finally {
    await unlock();
  }
}

/**
 * Undefined where nothing was given up, or what was has been measured since.
 * @param standsAlone what would have been measured without the failure as well: in a steady state all that came after was bred
 * from the one that was given up, and with successive halving others went on in its place.
 */
function beforeGivenUp(
  lines: readonly JournalLine[],
  standsAlone: ReadonlySet<Fact['type']>,
): JournalLine[] | undefined {
  const isMeasured = (mask: string, repeat: number, after: number) =>
    lines.some(({ fact }, i) => i > after && fact.type === 'evaluated' && fact.mask === mask && fact.repeat === repeat);
  const first = lines.findIndex(({ fact }, i) => fact.type === 'failed' && !isMeasured(fact.mask, fact.repeat, i));
  if (first < 0) return undefined;
  const closing = lines.findIndex(({ fact }, i) => i > first && fact.type === 'generation');
  const ofGeneration = lines.slice(0, closing < 0 ? lines.length : closing);
  return ofGeneration
    .filter(({ fact }, i) => i < first || standsAlone.has(fact.type))
    .map((line, seq) => ({ ...line, seq }));
}

/** The old journal keeps a name of its own; at every moment there is a whole one under the usual. */
async function replaceJournal(path: string, lines: readonly JournalLine[]): Promise<void> {
  const file = await open(`${path}.tmp`, 'w');
  try {
    await file.writeFile(lines.map((line) => `${formatLine(line)}\n`).join(''));
    await file.datasync();
  } finally {
    await file.close();
  }
  for (let n = 1; ; n++) {
    const aside = path.replace(/\.jsonl$/, `.before-retry-${n}.jsonl`);
    const error = await link(path, aside).catch((fault: NodeJS.ErrnoException) => fault);
    if (!error) break;
    if (error.code !== 'EEXIST') throw error;
  }
  await rename(`${path}.tmp`, path);
}
