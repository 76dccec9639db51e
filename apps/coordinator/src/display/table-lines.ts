import { bold, type Line, padText, textWidth } from './line.js';

/** Rows under their heading, in columns as wide as their widest cell, two cells apart. */
export function tableLines(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  align: 'left' | 'right',
): Line[] {
  const widths = heading.map((title, i) => Math.max(textWidth(title), ...rows.map((row) => textWidth(row[i] ?? ''))));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) =>
        align === 'left' ? padText(cell, widths[i] ?? 0) : ' '.repeat((widths[i] ?? 0) - textWidth(cell)) + cell,
      )
      .join('  ')
      .trimEnd();
  return [[bold(line(heading))], ...rows.map((row): Line => [line(row)])];
}
