import type { ViewLine } from '@nesgd/core/view';

/** Lines of a view one behind the other, as JSON, with a comma between two: they are sent as they are. */
export interface LinesText {
  readonly bytes: Uint8Array;
  /** Where each line ends in `bytes`. */
  readonly ends: Uint32Array;
}

export function linesText(lines: readonly ViewLine[]): LinesText {
  const texts = lines.map((line) => Buffer.from(JSON.stringify(line)));
  const bytes = Buffer.alloc(texts.reduce((sum, text) => sum + text.length + 1, -1));
  const ends = new Uint32Array(texts.length);
  let end = -1;
  for (const [i, text] of texts.entries()) {
    if (end >= 0) bytes.write(',', end);
    text.copy(bytes, end + 1);
    end += 1 + text.length;
    ends[i] = end;
  }
  return { bytes, ends };
}

/** A run's lines as they were read: text, which costs a tenth of the objects it stands for and need not be written anew. */
export class LineTexts {
  readonly #parts: { readonly first: number; readonly text: LinesText }[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  add(text: LinesText): void {
    if (text.ends.length === 0) return;
    this.#parts.push({ first: this.#length, text });
    this.#length += text.ends.length;
  }

  /** @throws RangeError for a line that is not there. */
  at(seq: number): string {
    const [bytes] = this.slice(seq, seq + 1);
    if (!bytes) throw new RangeError(`there is no line ${seq} among ${this.#length}`);
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
  }

  /** The lines from `from` to before `to` that are there, piece by piece, with commas between them. */
  *slice(from: number, to: number): Generator<Uint8Array> {
    if (from >= Math.min(to, this.#length)) return;
    let isFirst = true;
    for (let i = this.#partOf(from); i < this.#parts.length; i += 1) {
      const part = this.#parts[i];
      if (!part || part.first >= to) return;
      const { bytes, ends } = part.text;
      const start = from > part.first ? (ends[from - part.first - 1] ?? 0) + 1 : 0;
      const end = ends[Math.min(to - part.first, ends.length) - 1] ?? 0;
      if (end <= start) continue;
      if (!isFirst) yield COMMA;
      isFirst = false;
      yield bytes.subarray(start, end);
    }
  }

  /** The part that holds a line, by halving. */
  #partOf(seq: number): number {
    let low = 0;
    let high = this.#parts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#parts[middle]?.first ?? 0) <= seq) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

const COMMA = Buffer.from(',');
