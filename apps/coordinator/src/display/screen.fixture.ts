import type { Terminal } from './live-region.js';

/** A terminal as far as the live region uses one: wraps, scrolls, moves up, clears. */
export class Screen implements Terminal {
  readonly writes: string[] = [];
  cursorVisible = true;
  /** Everything ever written from the top of the scroll-back; the last `rows` of it are on the screen. */
  #lines: string[] = [''];
  #row = 0;
  #column = 0;

  constructor(
    public columns: number,
    public rows: number,
    private readonly colours = false,
  ) {}

  hasColors(): boolean {
    return this.colours;
  }

  /** Lines as they stand, scroll-back first, without the empty ones at the end. */
  get text(): string[] {
    const last = this.#lines.findLastIndex((line) => line.trim() !== '');
    return this.#lines.slice(0, last + 1).map((line) => line.trimEnd());
  }

  write(text: string): void {
    this.writes.push(text);
    const pieces = text.match(/\p{Cc}\[[?\d;]*[A-Za-z]|./gsu) ?? [];
    for (const piece of pieces) this.#take(piece);
  }

  #take(piece: string): void {
    switch (piece) {
      case '\r':
        this.#column = 0;
        return;
      case '\n':
        this.#moveTo(this.#row + 1, 0);
        return;
      case '\x1b[K':
        this.#lines[this.#row] = this.#current.slice(0, this.#column);
        return;
      case '\x1b[J':
        this.#lines[this.#row] = this.#current.slice(0, this.#column);
        this.#lines.length = this.#row + 1;
        return;
      case '\x1b[?25l':
      case '\x1b[?25h':
        this.cursorVisible = piece.endsWith('h');
        return;
    }
    const up = /^\p{Cc}\[(\d+)A$/u.exec(piece);
    if (up) this.#row = Math.max(this.#row - Number(up[1]), this.#lines.length - this.rows, 0);
    else if (piece.startsWith('\x1b')) throw new Error(`this screen does not know ${JSON.stringify(piece)}`);
    else this.#put(piece);
  }

  #put(character: string): void {
    if (this.#column === this.columns) this.#moveTo(this.#row + 1, 0);
    const line = this.#current.padEnd(this.#column);
    this.#lines[this.#row] = line.slice(0, this.#column) + character + line.slice(this.#column + 1);
    this.#column += 1;
  }

  /** Narrows the window as most terminals do: lines are wrapped anew, the cursor stays below the last of them. */
  narrowTo(columns: number): void {
    this.#lines = this.#lines.flatMap((line) => line.match(new RegExp(`.{1,${columns}}`, 'gu')) ?? ['']);
    this.#row = this.#lines.length - 1;
    this.columns = columns;
  }

  get #current(): string {
    return this.#lines[this.#row] ?? '';
  }

  #moveTo(row: number, column: number): void {
    this.#row = row;
    this.#column = column;
    while (this.#lines.length <= row) this.#lines.push('');
  }
}
