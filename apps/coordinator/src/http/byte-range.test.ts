import { describe, expect, it } from 'vitest';
import { byteRange } from './byte-range.js';

describe('byteRange', () => {
  it.each([
    ['bytes=0-', { first: 0, last: 9 }],
    ['bytes=4-', { first: 4, last: 9 }],
    ['bytes=4-4', { first: 4, last: 4 }],
    ['bytes=4-400', { first: 4, last: 9 }],
    ['bytes=-3', { first: 7, last: 9 }],
    ['bytes=-30', { first: 0, last: 9 }],
  ])('%s of ten bytes', (header, range) => {
    expect(byteRange(header, 10)).toEqual(range);
  });

  it.each([undefined, '', 'bytes=', 'bytes=-', 'bytes=5-4', 'bytes=0-1,3-4', 'lines=0-1', 'bytes=x-', 'bytes=1e3-'])(
    'ignores %j',
    (header) => {
      expect(byteRange(header, 10)).toBe('whole');
    },
  );

  it.each(['bytes=10-', 'bytes=99999999999999-', 'bytes=-0'])('cannot satisfy %s of ten bytes', (header) => {
    expect(byteRange(header, 10)).toBe('unsatisfiable');
  });

  it('cannot satisfy any range of nothing', () => {
    expect(byteRange('bytes=0-', 0)).toBe('unsatisfiable');
    expect(byteRange('bytes=-5', 0)).toBe('unsatisfiable');
  });
});
