import { inspect, stripVTControlCharacters } from 'node:util';

/** A line of text for a terminal, as pieces: its width counts the texts, its colours come last. */
export type Line = readonly (string | Styled)[];
export interface Styled {
  readonly text: string;
  readonly style: Style;
}
export type Style = 'bold' | 'dim' | 'green' | 'red' | 'yellow' | 'cyan';

export const bold = (text: string): Styled => ({ text, style: 'bold' });
export const dim = (text: string): Styled => ({ text, style: 'dim' });
export const green = (text: string): Styled => ({ text, style: 'green' });
export const red = (text: string): Styled => ({ text, style: 'red' });
export const yellow = (text: string): Styled => ({ text, style: 'yellow' });
export const cyan = (text: string): Styled => ({ text, style: 'cyan' });

/**
 * The text of a line, with colours where the terminal takes them. Control characters are dropped: names of workers and
 * reasons of failures come from other machines and must not move the cursor here.
 */
export function printLine(line: Line, colours: boolean): string {
  return line.map((piece) => (typeof piece === 'string' ? safe(piece) : coloured(piece, colours))).join('');
}

/** Cuts a line to `columns` cells, ending it with an ellipsis where something is lost. */
export function fitLine(line: Line, columns: number): Line {
  if (lineWidth(line) <= columns) return line;
  const fitted: (string | Styled)[] = [];
  let left = columns - 1;
  for (const piece of line) {
    const whole = safe(textOf(piece));
    const text = longestStart(whole, left);
    fitted.push(typeof piece === 'string' ? text : { ...piece, text });
    if (text !== whole) break;
    left -= textWidth(text);
  }
  return columns > 0 ? [...fitted, '…'] : [];
}

export function fitText(text: string, columns: number): string {
  return fitLine([text], columns).join('');
}

export function lineWidth(line: Line): number {
  return line.reduce((sum, piece) => sum + textWidth(safe(textOf(piece))), 0);
}

/** Cells of a text, never too few: everything that may be drawn double is counted double. */
export function textWidth(text: string): number {
  let cells = 0;
  for (const character of text) cells += mayBeWide(character.codePointAt(0) ?? 0) ? 2 : 1;
  return cells;
}

export function padText(text: string, columns: number): string {
  return text + ' '.repeat(Math.max(0, columns - textWidth(text)));
}

function longestStart(text: string, columns: number): string {
  let kept = '';
  for (const character of text) {
    if (textWidth(kept + character) > columns) break;
    kept += character;
  }
  return kept;
}

// From Hangul Jamo on; but punctuation, arrows, box drawing and blocks, which our own lines use, are single.
function mayBeWide(codePoint: number): boolean {
  return codePoint >= 0x1100 && !(codePoint >= 0x2000 && codePoint <= 0x25ff);
}

function coloured({ text, style }: Styled, colours: boolean): string {
  const [on, off] = inspect.colors[style] ?? [0, 0];
  return colours && text !== '' ? `\x1b[${on}m${safe(text)}\x1b[${off}m` : safe(text);
}

function safe(text: string): string {
  return stripVTControlCharacters(text).replace(/\p{Cc}+/gu, ' ');
}

function textOf(piece: string | Styled): string {
  return typeof piece === 'string' ? piece : piece.text;
}
