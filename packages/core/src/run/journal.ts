import { type FileHandle, open } from 'node:fs/promises';
import { InputError, JournalWriteError } from '../errors.js';
import { type Fact, type JournalLine, journalLineSchema, type Meta } from './facts.js';

/**
 * The run's memory: `journal.jsonl`, one fact a line, append-only. A fact counts once its line is flushed to disk;
 * `append` resolves then and not before. A crash can leave at most one torn line at the end, which `open` drops: what
 * it would have said was never acted upon.
 */
export class Journal {
  /** Lines not yet on the disk, written together by the next flush: one `fsync` for all that came during the last one. */
  #waiting: JournalLine[] = [];
  // After a failed one (a full disk) all later ones fail too, or they would stand behind half a line.
  #flush: Promise<void> = Promise.resolve();
  #seq: number;

  private constructor(
    readonly path: string,
    private readonly file: FileHandle,
    readonly lines: JournalLine[],
    private readonly now: () => Date,
  ) {
    this.#seq = lines.length;
  }

  /** Opens for appending and replays what is there. @throws InputError where a line other than the last is damaged. */
  static async open(path: string, now: () => Date = () => new Date()): Promise<Journal> {
    const { lines, wholeBytes } = await readJournal(path);
    const file = await open(path, 'a');
    await file.truncate(wholeBytes);
    return new Journal(path, file, lines, now);
  }

  /** Appends one fact and flushes it; facts are written in the order of the calls. */
  append(fact: Fact, meta: Omit<Meta, 'at'> = {}): Promise<JournalLine> {
    const line: JournalLine = { seq: this.#seq++, meta: { at: this.now().toISOString(), ...meta }, fact };
    this.#waiting.push(line);
    return this.#flushed().then(() => line);
  }

  async close(): Promise<void> {
    await this.#flush.catch(() => {}); // Whoever appended has the error.
    await this.file.close();
  }

  /** Resolves when all that waits now is on the disk. */
  #flushed(): Promise<void> {
    // What came after a flush had begun is not part of it.
    this.#flush = this.#flush.then(() => this.#write());
    return this.#flush;
  }

  async #write(): Promise<void> {
    const lines = this.#waiting;
    if (lines.length === 0) return; // An earlier flush took them along.
    this.#waiting = [];
    try {
      await this.file.appendFile(lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
      await this.file.datasync();
    } catch (cause) {
      throw new JournalWriteError(this.path, cause as NodeJS.ErrnoException);
    }
    this.lines.push(...lines);
  }
}

/** Reads a journal that another process may be writing. `wholeBytes`: the length without a torn last line. */
export async function readJournal(path: string): Promise<{ lines: JournalLine[]; wholeBytes: number }> {
  return readJournalFrom(path, { wholeBytes: 0, lines: 0 });
}

/**
 * Reads what a journal has got since. Only whole lines are taken.
 * @param known how far it was read before: bytes, and the lines in them.
 * @returns the new lines, and how far it is read now.
 * @throws InputError where a line is damaged.
 */
export async function readJournalFrom(
  path: string,
  known: { readonly wholeBytes: number; readonly lines: number },
): Promise<{ lines: JournalLine[]; wholeBytes: number }> {
  const bytes = await readFrom(path, known.wholeBytes);
  const newBytes = bytes.lastIndexOf('\n') + 1;
  const texts = bytes.subarray(0, newBytes).toString('utf8').split('\n').slice(0, -1);
  const lines = texts.map((text, index) => parseLine(text, `${path}, line ${known.lines + index + 1}`));
  const gap = lines.findIndex((line, index) => line.seq !== known.lines + index);
  if (gap >= 0) {
    const wanted = known.lines + gap;
    throw new InputError(
      'JOURNAL',
      `${path}, line ${wanted + 1}: its seq is ${lines[gap]?.seq}, not ${wanted}: lines are missing or doubled`,
    );
  }
  return { lines, wholeBytes: known.wholeBytes + newBytes };
}

/** Empty for a file that is not there, and behind its end. */
async function readFrom(path: string, position: number): Promise<Buffer> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!file) return Buffer.alloc(0);
  try {
    const { size } = await file.stat();
    if (size <= position) return Buffer.alloc(0);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - position), { position });
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

function parseLine(text: string, where: string): JournalLine {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new InputError(
      'JOURNAL',
      `${where} is damaged (not JSON): ${text.slice(0, 80)}. Restore the journal from a copy`,
    );
  }
  const parsed = journalLineSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new InputError(
    'JOURNAL',
    `${where} is not a fact that this version knows: ${issue?.path.join('.')}: ${issue?.message}`,
  );
}

/**
 * The facts alone, in an order of their own: equal for two runs of one experiment however their workers fared.
 * (Individuals and test measurements arrive in any order; everything else is already ordered.)
 */
export function canonicalFacts(lines: readonly JournalLine[]): Fact[] {
  const facts = lines.map((line) => line.fact);
  const individuals = facts.filter((fact) => fact.type === 'evaluated' || fact.type === 'failed');
  const trained = facts.filter((fact) => fact.type === 'trained');
  const tested = facts.filter((fact) => fact.type === 'tested');
  const sorted = new Set<Fact['type']>(['evaluated', 'failed', 'trained', 'tested']);
  const others = facts.filter((fact) => !sorted.has(fact.type));
  const by =
    <T>(key: (fact: T) => string) =>
    (a: T, b: T) =>
      key(a) < key(b) ? -1 : 1;
  return [
    ...others,
    ...individuals.sort(by(({ mask, repeat, type }) => `${mask}/${repeat}/${type}`)),
    ...trained.sort(by(({ round, id }) => `${String(round).padStart(9, '0')}/${id}`)),
    ...tested.sort(by(({ which }) => which)),
  ];
}
