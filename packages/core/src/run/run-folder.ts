import { randomBytes } from 'node:crypto';
import { access, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { InputError } from '../errors.js';
import { BlobStore, checkWritable } from '../storage/index.js';
import { checkMaskLengths } from './check-mask-lengths.js';
import { formatExperiment } from './experiment-file.js';
import type { JournalLine, OpenedFact } from './facts.js';
import { Journal, readJournal } from './journal.js';
import { runCommand } from './run-command.js';
import { type Holder, livingHolder, lockRun } from './run-lock.js';

/** `runs/<id>/`: one run's journal, its experiment and artifacts, held by this process alone until it is closed. */
export interface RunFolder {
  readonly id: string;
  readonly path: string;
  readonly opened: OpenedFact;
  readonly journal: Journal;
  /** Alpha, the leader's weights, by SHA-256. */
  readonly artifacts: BlobStore;
  close(): Promise<void>;
}

/** @throws InputError for an id that is no plain file name. */
export function checkRunId(id: string): string {
  if (!/^[a-zA-Z0-9][a-zA-Z0-9._-]{0,99}$/.test(id)) {
    throw new InputError(
      'RUN_ID',
      `run id ${JSON.stringify(id)}: wants up to 100 letters, digits, ".", "_" and "-", and a letter or digit first`,
    );
  }
  return id;
}

/** `quickstart-20260131-120000-3f9a`: sorts by time, and two started in one second differ. */
export function newRunId(experimentName: string, now: Date): string {
  const stamp = now.toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  return `${experimentName}-${stamp}-${randomBytes(2).toString('hex')}`;
}

/**
 * Says early, and without writing anything, that `createRun` would be refused.
 * @throws InputError for an id that is none or that a run has already, and for a folder that nothing can be written in.
 */
export async function checkNewRun(runsFolder: string, id: string): Promise<void> {
  await refuseExisting(runPath(runsFolder, id), id);
  await checkWritable(runsFolder).catch((cause) => {
    throw unwritable(runsFolder, cause);
  });
}

/**
 * Makes the folder of a new run. It appears under its name at once and whole, with the opening fact in its journal and
 * the experiment as a file that gives the same run again.
 * @throws InputError where a run of this id exists, or the folder of runs cannot be written in.
 */
export async function createRun(runsFolder: string, opened: OpenedFact): Promise<RunFolder> {
  const path = runPath(runsFolder, opened.runId);
  await refuseExisting(path, opened.runId);
  const temporary = resolve(runsFolder, `.${opened.runId}.${randomBytes(4).toString('hex')}.tmp`);
  await makeFolder(temporary).catch((cause) => {
    throw unwritable(runsFolder, cause);
  });
  try {
    const again = `Run ${opened.runId}, every key. The same again: nesgd run <this file> --engine ${opened.runtime.engine}`;
    await writeFile(join(temporary, 'experiment.yaml'), formatExperiment(opened.experiment, again));
    const journal = await Journal.open(join(temporary, 'journal.jsonl'));
    await journal.append(opened);
    await journal.close();
    // Renaming onto a folder that is not empty fails: of two that start one id, one wins.
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    await refuseExisting(path, opened.runId);
    throw error;
  }
  return openRun(runsFolder, opened.runId);
}

/** Opens an existing run to go on with it. @throws InputError where there is none or another process holds it. */
export async function openRun(runsFolder: string, id: string): Promise<RunFolder> {
  const path = runPath(runsFolder, id);
  await assertRunExists(runsFolder, id);
  const unlock = await lockRun(join(path, 'lock'), id);
  try {
    const journal = await Journal.open(join(path, 'journal.jsonl'));
    const opened = await openedOrClose(journal);
    return {
      id,
      path,
      opened,
      journal,
      artifacts: new BlobStore(join(path, 'artifacts')),
      async close() {
        await journal.close();
        await unlock();
      },
    };
  } catch (error) {
    await unlock();
    throw error;
  }
}

/** Reads a run's facts without holding it, also while it goes on. */
export async function readRun(runsFolder: string, id: string) {
  await assertRunExists(runsFolder, id);
  const journalPath = join(runPath(runsFolder, id), 'journal.jsonl');
  const { lines } = await readJournal(journalPath);
  return { lines, opened: openedFact(lines, journalPath) };
}

/** The process that works on a run just now; undefined where none does. */
export async function runHolder(runsFolder: string, id: string): Promise<Holder | undefined> {
  return livingHolder(join(runPath(runsFolder, id), 'lock'));
}

/** Ids of the runs in a folder, oldest name first; empty where the folder does not exist. */
export async function listRuns(runsFolder: string): Promise<string[]> {
  const entries = await readdir(runsFolder, { withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map((entry) => entry.name)
    .sort();
}

/** `runs/<id>`. @throws InputError for an id that is no plain file name. */
export function runPath(runsFolder: string, id: string): string {
  return resolve(runsFolder, checkRunId(id));
}

async function openedOrClose(journal: Journal): Promise<OpenedFact> {
  try {
    return openedFact(journal.lines, journal.path);
  } catch (error) {
    await journal.close();
    throw error;
  }
}

function openedFact(lines: readonly JournalLine[], journalPath: string): OpenedFact {
  const first = lines[0]?.fact;
  if (first?.type !== 'opened') {
    throw new InputError('JOURNAL', `${journalPath} does not start with the fact "opened": it is not a run's journal`);
  }
  checkMaskLengths(lines, first.blocks.length, journalPath);
  return first;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** As `mkdir` with `recursive` does, which never returns below /proc (Node 20). */
async function makeFolder(path: string): Promise<void> {
  if (await exists(path)) return;
  await makeFolder(dirname(path));
  await mkdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
}

function unwritable(runsFolder: string, cause: unknown): InputError {
  return new InputError(
    'RUNS_FOLDER',
    `the folder of runs ${resolve(runsFolder)} cannot be written in: ${(cause as Error).message}; --runs names another`,
    false,
    { cause },
  );
}

async function refuseExisting(path: string, id: string): Promise<void> {
  if (!(await exists(path))) return;
  throw new InputError(
    'RUN_EXISTS',
    `run ${id} exists already (${path}): go on with it by "${runCommand('resume', { id, path })}", or choose another --run-id`,
  );
}

async function assertRunExists(runsFolder: string, id: string): Promise<void> {
  if (await exists(join(runPath(runsFolder, id), 'journal.jsonl'))) return;
  const known = (await listRuns(runsFolder)).slice(-3);
  const hint =
    known.length > 0 ? `the latest here: ${known.join(', ')}` : 'there are none here; --runs names another folder';
  throw new InputError('RUN_UNKNOWN', `there is no run ${id} in ${resolve(runsFolder)} (${hint})`);
}
