import { fitLine, type Line, lineWidth, printLine } from './line.js';
import type { ScreenSize } from './live-lines.js';

/** What is needed of a terminal: `process.stderr`, or a recorder in a test. */
export interface Terminal {
  write(text: string): unknown;
  readonly columns?: number;
  readonly rows?: number;
  /** Says whether the terminal shows colours; respects NO_COLOR and FORCE_COLOR (`tty.WriteStream`). */
  hasColors?(): boolean;
}

const HIDE_CURSOR = '\x1b[?25l';
const SHOW_CURSOR = '\x1b[?25h';
const CLEAR_TO_LINE_END = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';
const up = (lines: number) => (lines > 0 ? `\x1b[${lines}A` : '');

/**
 * Lines at the bottom of a terminal that are drawn again and again, with lasting lines scrolling off above them.
 * Each drawing is one write, and overwrites instead of clearing first: nothing flickers.
 */
export class LiveRegion {
  /** Widths of the lines that stand on the screen, the cursor at the start of the line below them. */
  #drawn: number[] = [];
  #cursorHidden = false;

  constructor(
    private readonly terminal: Terminal,
    private readonly colours: boolean,
  ) {}

  /**
   * Cells and lines to draw in; terminals that do not tell are taken for 80 by 24. The last column stays free: what a
   * terminal clears after a line that fills it is a matter of its make.
   */
  get size(): ScreenSize {
    return { columns: Math.max(1, (this.terminal.columns || 80) - 1), rows: this.terminal.rows || 24 };
  }

  /** @param lasting above the live lines from now on; wrapped by the terminal where they are long. */
  draw(lasting: readonly Line[], live: readonly Line[]): void {
    if (lasting.length + live.length + this.#drawn.length === 0) return;
    const fitted = live.map((line) => fitLine(line, this.size.columns));
    const hide = this.#cursorHidden || live.length === 0 ? '' : HIDE_CURSOR;
    this.#cursorHidden ||= hide !== '';
    const above = lasting.map((line) => `${printLine(line, this.colours)}\n`);
    const below = fitted.map((line) => `${printLine(line, this.colours)}${CLEAR_TO_LINE_END}\n`);
    // A lasting line may wrap over rows of the old view, which must be empty then.
    const clear = lasting.length > 0 ? CLEAR_BELOW : '';
    this.terminal.write(`${hide}\r${up(this.#rowsDrawn())}${clear}${above.join('')}${below.join('')}${CLEAR_BELOW}`);
    this.#drawn = fitted.map(lineWidth);
  }

  /** Leaves what is drawn where it is and gives the cursor back. */
  end(): void {
    if (this.#cursorHidden) this.terminal.write(SHOW_CURSOR);
    this.#cursorHidden = false;
    this.#drawn = [];
  }

  /** Where the window became narrower since, terminals have wrapped our lines into more rows. */
  #rowsDrawn(): number {
    const columns = this.terminal.columns || 80;
    return this.#drawn.reduce((rows, width) => rows + Math.max(1, Math.ceil(width / columns)), 0);
  }
}
