import { createHash } from 'node:crypto';
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
      await this.file.appendFile(lines.map((line) => `${formatLine(line)}\n`).join(''));
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
  known: JournalPosition,
): Promise<{ lines: JournalLine[]; wholeBytes: number }> {
  const lines: JournalLine[] = [];
  let { wholeBytes } = known;
  for await (const slice of readJournalSlices(path, known)) {
    for (const line of slice.lines) lines.push(line);
    wholeBytes = slice.wholeBytes;
  }
  return { lines, wholeBytes };
}

/** How far a journal is read: bytes, and the lines in them. */
export interface JournalPosition {
  readonly wholeBytes: number;
  readonly lines: number;
}

/**
 * As `readJournalFrom`, in slices of about a mebibyte: between two of them others get their turn of the event loop, and
 * a journal of any length needs the memory of one.
 */
export async function* readJournalSlices(
  path: string,
  known: JournalPosition,
): AsyncGenerator<{ lines: JournalLine[]; wholeBytes: number }> {
  let { wholeBytes, lines: count } = known;
  for await (const bytes of wholeLines(path, wholeBytes)) {
    const texts = bytes.toString('utf8').split('\n').slice(0, -1);
    const lines = texts.map((text, index) => parseLine(text, `${path}, line ${count + index + 1}`));
    const gap = lines.findIndex((line, index) => line.seq !== count + index);
    if (gap >= 0) {
      const wanted = count + gap;
      throw new InputError(
        'JOURNAL',
        `${path}, line ${wanted + 1}: its seq is ${lines[gap]?.seq}, not ${wanted}: lines are missing or doubled`,
      );
    }
    wholeBytes += bytes.length;
    count += lines.length;
    yield { lines, wholeBytes };
  }
}

const SLICE_BYTES = 2 ** 20;

/** Pieces that end with a line's end, of a slice or of one longer line; none for a file that is not there. */
async function* wholeLines(path: string, start: number): AsyncGenerator<Buffer> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  if (!file) return;
  try {
    // What is appended meanwhile is for the next reader: one that is faster than this one would never let it end.
    const { size } = await file.stat();
    let torn: Buffer[] = [];
    for (let position = start; position < size; ) {
      const wanted = Math.min(SLICE_BYTES, size - position);
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(wanted), { position });
      if (bytesRead === 0) return;
      position += bytesRead;
      const slice = buffer.subarray(0, bytesRead);
      const end = slice.lastIndexOf('\n') + 1;
      if (end > 0) yield Buffer.concat([...torn, slice.subarray(0, end)]);
      torn = end > 0 ? [slice.subarray(end)] : [...torn, slice];
    }
  } finally {
    await file.close();
  }
}

/** Behind the rest of a line: the beginning of its SHA-256. Lines of earlier versions, and those edited by hand, have none. */
const SUM = /,"sum":"([0-9a-f]{16})"\}$/;
const sumOf = (body: string): string => createHash('sha256').update(body).digest('hex').slice(0, 16);

export function formatLine(line: JournalLine): string {
  const body = JSON.stringify(line);
  return `${body.slice(0, -1)},"sum":"${sumOf(body)}"}`;
}

/** A bit that turned over may leave JSON, and even a fact: then only its checksum tells. */
function parseLine(text: string, where: string): JournalLine {
  const sum = SUM.exec(text);
  const body = sum ? `${text.slice(0, sum.index)}}` : text;
  const damaged = (how: string) =>
    new InputError(
      'JOURNAL',
      `${where} is damaged (${how}): ${text.slice(0, 80)}. Restore the journal from a copy, or cut it before that line, and what stood there is done again`,
    );
  if (sum && sum[1] !== sumOf(body)) throw damaged('not what its checksum says');
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw damaged('not JSON');
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
  const rungs = facts.filter((fact) => fact.type === 'rung');
  const trained = facts.filter((fact) => fact.type === 'trained');
  const tested = facts.filter((fact) => fact.type === 'tested');
  const sorted = new Set<Fact['type']>(['evaluated', 'failed', 'rung', 'trained', 'tested']);
  const others = facts.filter((fact) => !sorted.has(fact.type));
  const by =
    <T>(key: (fact: T) => string) =>
    (a: T, b: T) =>
      key(a) < key(b) ? -1 : 1;
  return [
    ...others,
    ...individuals.sort(by(({ mask, repeat, type }) => `${mask}/${repeat}/${type}`)),
    ...rungs.sort(by(({ mask, repeat, from }) => `${mask}/${repeat}/${String(from).padStart(9, '0')}`)),
    ...trained.sort(by(({ round, id }) => `${String(round).padStart(9, '0')}/${id}`)),
    ...tested.sort(by(({ which }) => which)),
  ];
}
