import { InputError } from '@nesgd/core/errors';
import { runHolder } from '@nesgd/core/run';
import { type ReadingProgress, type RunPulse, runState } from '@nesgd/core/view';
import { type JournalFigures, NO_FIGURES } from '../reading/journal-figures.js';
import type { JournalPart } from '../reading/journal-reading.js';
import { LineTexts } from '../reading/line-texts.js';
import type { RunReader, RunReading } from '../reading/run-reader.js';
import { readPulse } from './run-pulse.js';

/** A finished epoch is to be on screen within a second; the network and the page need their share of it. */
const POLL_INTERVAL_MS = 200;

/**
 * Keeps up with one run, whichever process works on it: has its journal read on, and `live.json` when it has changed. It
 * polls while somebody listens, as file system events do not come from everywhere (network folders, other containers),
 * and a look at four small files costs less than a millisecond.
 */
export class RunFollower {
  /** The journal as a view gets it. Only grows, except that another journal in its place starts it over. */
  lines = new LineTexts();
  figures: JournalFigures = NO_FIGURES;
  /** Null when all of the journal is read; lines and figures are of what is. */
  progress: ReadingProgress | null = null;
  pulse: RunPulse = { state: 'stopped', paused: false, priority: 0, holder: null, live: null };
  /** Counts the changes of `pulse`. */
  pulses = 0;
  /** Which journal `lines` are of. */
  journal = '';
  /** Counts the journals: it changes when the run was deleted and another of its name begun. */
  journals = 0;
  /** Why the run cannot be followed any more. */
  problem: InputError | undefined;

  #pulseText = '';
  readonly #reading: RunReading;
  readonly #listeners = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;
  #refreshing: Promise<void> | undefined;

  constructor(
    reader: RunReader,
    readonly runId: string,
  ) {
    this.runsFolder = reader.runsFolder;
    this.#reading = reader.reading(runId);
  }

  readonly runsFolder: string;

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

  /**
   * As `refresh`, but does not wait for the end of a long journal: only until there is a line `from`, or some more lines.
   * @throws InputError as `refresh`.
   */
  async begin(from: number): Promise<void> {
    const whole = this.refresh();
    if (this.progress && this.lines.length > from) {
      whole.catch(() => {}); // Who comes for the next lines sees it.
      return;
    }
    let unsubscribe: (() => void) | undefined;
    const some = new Promise<void>((resolve) => {
      this.#listeners.add(resolve);
      unsubscribe = () => this.#listeners.delete(resolve);
    });
    try {
      await Promise.race([whole, some]);
    } finally {
      unsubscribe?.();
    }
    if (this.problem) throw this.problem;
  }

  /** Ends its reading; it is not to be used any more. */
  close(): void {
    this.#reading.end();
  }

  get isWatched(): boolean {
    return this.#listeners.size > 0;
  }

  async #poll(): Promise<void> {
    await this.refresh().catch(() => {}); // The listeners see the problem.
    this.#timer = this.isWatched ? setTimeout(() => this.#poll(), POLL_INTERVAL_MS) : undefined;
  }

  async #look(): Promise<void> {
    const before = this.#mark();
    try {
      // First the holder: a run that finishes in between has released it, and its journal says so.
      const holder = await runHolder(this.runsFolder, this.runId);
      await this.#reading.readOn((part) => this.#take(part));
      this.progress = null;
      await this.#readPulse(holder);
      this.problem = undefined;
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      this.problem = error;
    }
    if (this.#mark() !== before) this.#tell();
  }

  #take({ first, journal, text, figures, bytesRead, bytes }: JournalPart): void {
    if (first === 0) {
      this.lines = new LineTexts();
      this.journal = journal;
      this.journals += 1;
    }
    this.lines.add(text);
    this.figures = figures;
    this.progress = bytesRead < bytes ? { bytesRead, bytes } : null;
    this.#tell();
  }

  #tell(): void {
    for (const changed of [...this.#listeners]) changed();
  }

  /** Differs when a listener has something to hear. */
  #mark(): string {
    return [this.lines.length, this.journals, this.pulses, this.problem?.message].join();
  }

  async #readPulse(holder: RunPulse['holder'] | undefined): Promise<void> {
    const { outcome } = this.figures;
    const state = runState(outcome === null ? [] : [{ type: outcome }], holder !== undefined);
    const pulse = await readPulse(this.runsFolder, this.runId, state, holder);
    const text = JSON.stringify(pulse);
    if (text === this.#pulseText) return;
    this.#pulseText = text;
    this.pulse = pulse;
    this.pulses += 1;
  }
}
