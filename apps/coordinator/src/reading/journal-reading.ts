import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '@nesgd/core/errors';
import { readJournalSlices, runPath } from '@nesgd/core/run';
import { ViewLines } from '@nesgd/core/view';
import { type JournalFigures, NO_FIGURES, withLines } from './journal-figures.js';
import { type LinesText, linesText } from './line-texts.js';

/** What a journal has got since it was read before. */
export interface JournalPart {
  /** The number of its first line; 0 where the journal was read from its start, maybe again. */
  readonly first: number;
  /** Which journal it is: another of the same run (after a retry) or of its name has another. */
  readonly journal: string;
  readonly text: LinesText;
  /** Of all lines up to these. */
  readonly figures: JournalFigures;
  /** How far it is read, and how long it is. */
  readonly bytesRead: number;
  readonly bytes: number;
}

/** One journal, read on and on as views of a run want it. */
export class JournalReading {
  #view = new ViewLines();
  #figures = NO_FIGURES;
  #lines = 0;
  #wholeBytes = 0;
  #inode = 0;
  #journal = '';
  #beginnings = 0;

  constructor(
    readonly runsFolder: string,
    readonly runId: string,
  ) {}

  /**
   * @yields what is new, in parts of about a mebibyte of the file; from the start where another journal has taken the place.
   * @throws InputError for a run that is not there or whose journal is damaged. It cannot be read on after that.
   */
  async *readOn(): AsyncGenerator<JournalPart> {
    const path = join(runPath(this.runsFolder, this.runId), 'journal.jsonl');
    const { ino, size, birthtimeMs } = await stat(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') throw error;
      throw new InputError('RUN_UNKNOWN', `there is no run ${this.runId}`);
    });
    if (this.#inode !== ino || size < this.#wholeBytes) this.#startOver(ino, birthtimeMs);
    if (size === this.#wholeBytes) return;
    for await (const slice of readJournalSlices(path, { wholeBytes: this.#wholeBytes, lines: this.#lines })) {
      const first = this.#lines;
      if (first === 0 && slice.lines[0]?.fact.type !== 'opened')
        throw new InputError('JOURNAL', `${path} does not start with the fact "opened": it is not a run's journal`);
      this.#figures = withLines(this.#figures, slice.lines);
      this.#lines += slice.lines.length;
      this.#wholeBytes = slice.wholeBytes;
      const text = linesText(slice.lines.map((line) => this.#view.next(line)));
      yield { first, journal: this.#journal, text, figures: this.#figures, bytesRead: slice.wholeBytes, bytes: size };
    }
  }

  #startOver(inode: number, birthtimeMs: number): void {
    this.#inode = inode;
    this.#journal = `${inode}-${birthtimeMs}-${this.#beginnings++}`;
    this.#wholeBytes = 0;
    this.#lines = 0;
    this.#figures = NO_FIGURES;
    this.#view = new ViewLines();
  }
}
