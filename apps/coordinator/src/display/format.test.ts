import { expect, test } from 'vitest';
import { formatBar, formatClock, formatDifference, formatDuration, formatMask, formatRate, plural } from './format.js';

test('formatDifference: always signed, and nothing is never negative', () => {
  expect([0.0021, -0.01, 0, -0, -0.00001, 0.00001].map(formatDifference)).toEqual([
    '+0.0021',
    '-0.0100',
    '+0.0000',
    '+0.0000',
    '+0.0000',
    '+0.0000',
  ]);
});

test('formatDuration: the two largest units, from seconds to days', () => {
  const durations = [0, 499, 7_400, 59_600, 125_000, 3_600_000, 11_220_000, 187_200_000];
  expect(durations.map(formatDuration)).toEqual(['0s', '0s', '7s', '1m 00s', '2m 05s', '1h 00m', '3h 07m', '2d 04h']);
});

test('formatClock: minutes and seconds, hours where there are any', () => {
  expect([0, 7_900, 725_000, 3_725_000].map(formatClock)).toEqual(['0:00', '0:07', '12:05', '1:02:05']);
});

test('formatMask: up to 32 bits whole; of more, both ends and the number of kept blocks; other texts as they are', () => {
  expect(formatMask('1'.repeat(32))).toBe('1'.repeat(32));
  expect(formatMask(`${'10'.repeat(20)}${'1'.repeat(26)}`)).toBe('101010101010…111111111111 (46/66 kept)');
  expect(formatMask('test of best')).toBe('test of best');
});

test('formatBar: as long as asked, full only when all is done, empty for what is no number', () => {
  const drawn = [0, 0.5, 0.999, 1, 2, -1, Number.NaN].map((fraction) => formatBar(fraction, 4));
  expect(drawn.map(({ filled, empty }) => filled + empty)).toEqual([
    '────',
    '━━──',
    '━━━─',
    '━━━━',
    '━━━━',
    '────',
    '────',
  ]);
});

test('formatRate and plural: figures a person reads at a glance', () => {
  expect([3.14, 12.6, 12_345.6].map(formatRate)).toEqual(['3.1', '13', '12,346']);
  expect([plural(1, 'worker'), plural(0, 'worker'), plural(12_000, 'image')]).toEqual([
    '1 worker',
    '0 workers',
    '12,000 images',
  ]);
});
