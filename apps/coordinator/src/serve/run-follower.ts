import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '@nesgd/core/errors';
import { readJournalFrom, runHolder, runPath } from '@nesgd/core/run';
import {
  LIVE_STATUS_FILE,
  type LiveStatus,
  liveStatusSchema,
  type RunPulse,
  runState,
  type ViewLine,
  ViewLines,
} from '@nesgd/core/view';

/** A finished epoch is to be on screen within a second; the network and the page need their share of it. */
const POLL_INTERVAL_MS = 200;

/**
 * Keeps up with one run, whichever process works on it: reads what its journal has got since, and `live.json` when it
 * has changed. It polls while somebody listens, as file system events do not come from everywhere (network folders,
 * other containers), and a look at three small files costs less than a millisecond.
 */
export class RunFollower {
  /** The journal as a view gets it. Only grows, except that another journal in its place starts it over. */
  lines: ViewLine[] = [];
  pulse: RunPulse = { state: 'stopped', holder: null, live: null };
  /** Counts the changes of `pulse`. */
  pulses = 0;
  /** Counts the journals: it changes when the run was deleted and another of its name begun. */
  journals = 0;
  /** Why the run cannot be followed any more. */
  problem: InputError | undefined;

  #view = new ViewLines();
  #wholeBytes = 0;
  #inode = 0;
  #pulseText = '';
  readonly #listeners = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;
  #refreshing: Promise<void> | undefined;

  constructor(
    readonly runsFolder: string,
    readonly runId: string,
  ) {}

  /** Looks now. @throws InputError for a run that is not there or whose journal is damaged. */
  async refresh(): Promise<void> {
    this.#refreshing ??= this.#look().finally(() => {
      this.#refreshing = undefined;
    });
    await this.#refreshing;
    if (this.problem) throw this.problem;
  }

  /** @param changed called after lines, pulse or problem have changed. @returns ends it. */
  subscribe(changed: () => void): () => void {
    this.#listeners.add(changed);
    this.#timer ??= setTimeout(() => this.#poll(), POLL_INTERVAL_MS);
    return () => {
      this.#listeners.delete(changed);
      if (this.#listeners.size > 0) return;
      clearTimeout(this.#timer);
      this.#timer = undefined;
    };
  }

  get isWatched(): boolean {
    return this.#listeners.size > 0;
  }

  async #poll(): Promise<void> {
    await this.refresh().catch(() => {}); // The listeners see the problem.
    if (this.isWatched) this.#timer = setTimeout(() => this.#poll(), POLL_INTERVAL_MS);
  }

  async #look(): Promise<void> {
    const before = [this.lines.length, this.journals, this.pulses, this.problem?.message];
    try {
      // First the holder: a run that finishes in between has released it, and its journal says so.
      const holder = await runHolder(this.runsFolder, this.runId);
      await this.#readJournal();
      await this.#readPulse(holder);
      this.problem = undefined;
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.problem = error;
      this.#inode = 0; // What was read up to the fault is read again.
    }
    const after = [this.lines.length, this.journals, this.pulses, this.problem?.message];
    if (after.some((value, i) => value !== before[i])) for (const changed of [...this.#listeners]) changed();
  }

  async #readJournal(): Promise<void> {
    const path = join(runPath(this.runsFolder, this.runId), 'journal.jsonl');
    const { ino, size } = await stat(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
      throw new InputError('RUN_UNKNOWN', `there is no run ${this.runId}`);
    });
    if (this.#inode !== ino || size < this.#wholeBytes) this.#startOver(ino);
    if (size === this.#wholeBytes) return;
    const { lines, wholeBytes } = await readJournalFrom(path, {
      wholeBytes: this.#wholeBytes,
      lines: this.lines.length,
    });
    const views = lines.map((line) => this.#view.next(line));
    if (this.lines.length === 0 && views.length > 0 && views[0]?.fact.type !== 'opened')
      throw new InputError('JOURNAL', `${path} does not start with the fact "opened": it is not a run's journal`);
    this.lines.push(...views);
    this.#wholeBytes = wholeBytes;
  }

  #startOver(inode: number): void {
    this.#inode = inode;
    this.#wholeBytes = 0;
    this.#view = new ViewLines();
    this.lines = [];
    this.journals += 1;
  }

  async #readPulse(holder: RunPulse['holder'] | undefined): Promise<void> {
    const state = runState(
      this.lines.map(({ fact }) => fact),
      holder !== undefined,
    );
    const live = await readLiveStatus(runPath(this.runsFolder, this.runId));
    const pulse: RunPulse = {
      state,
      holder: holder ? { pid: holder.pid, host: holder.host } : null,
      live: live && state !== 'running' ? atRest(live) : live,
    };
    const text = JSON.stringify(pulse);
    if (text === this.#pulseText) return;
    this.#pulseText = text;
    this.pulse = pulse;
    this.pulses += 1;
  }
}

/** Null where there is none, or one of another version: the journal alone says enough. */
async function readLiveStatus(folder: string): Promise<LiveStatus | null> {
  const text = await readFile(join(folder, LIVE_STATUS_FILE), 'utf8').catch(() => undefined);
  if (text === undefined) return null;
  try {
    return liveStatusSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** What a process left that is gone: nobody does the jobs that were under way. */
function atRest(live: LiveStatus): LiveStatus {
  return {
    ...live,
    active: [],
    remainingMs: null,
    jobs: { ...live.jobs, active: 0, waiting: 0 },
    workers: live.workers.map((worker) => ({ ...worker, job: null })),
  };
}
