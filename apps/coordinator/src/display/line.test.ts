import { expect, test } from 'vitest';
import { bold, fitLine, fitText, lineWidth, padText, printLine, textWidth } from './line.js';

test('printLine: colours surround the text they belong to, and are left out where not wanted', () => {
  expect(printLine(['a ', bold('b'), ' c'], true)).toBe('a \u001b[1mb\u001b[22m c');
  expect(printLine(['a ', bold('b'), ' c'], false)).toBe('a b c');
});

test("printLine: another machine's text cannot move the cursor or break the line", () => {
  const hostile = 'w\u001b[2J\u001b]0;title\u0007-1\nroot\u009b5A\b';
  for (const colours of [true, false]) {
    const printed = printLine([hostile, bold(hostile)], colours)
      .replaceAll('\u001b[1m', '')
      .replaceAll('\u001b[22m', '');
    expect(printed).not.toMatch(/\p{Cc}/u);
    expect(printed).toContain('-1 root');
  }
});

test('fitLine: a line that fits is untouched, a longer one ends with an ellipsis in the last cell', () => {
  expect(fitLine(['abc', bold('de')], 5)).toEqual(['abc', bold('de')]);
  expect(fitLine(['abc', bold('def')], 5)).toEqual(['abc', bold('d'), '…']);
  expect(fitLine(['abcdef', 'x'], 5)).toEqual(['abcd', '…']);
  expect(fitLine(['abc'], 1)).toEqual(['', '…']);
  expect(fitLine(['abc'], 0)).toEqual([]);
});

test('fitLine: characters of two cells are never cut in half nor let over the edge', () => {
  expect(textWidth('工人-1')).toBe(6);
  expect(fitText('工人-1', 4)).toBe('工…');
  expect(textWidth(fitText('工人工人', 6))).toBeLessThanOrEqual(6);
  expect(textWidth('━─…')).toBe(3);
  expect(padText('工', 4)).toBe('工  ');
});

test('lineWidth: colours and control characters take no cells', () => {
  expect(lineWidth([bold('ab'), 'c\u001b[31md'])).toBe(4);
});
