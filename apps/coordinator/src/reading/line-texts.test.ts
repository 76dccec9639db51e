import type { ViewLine } from '@nesgd/core/view';
import { expect, it } from 'vitest';
import { LineTexts, linesText } from './line-texts.js';

const line = (seq: number): ViewLine => ({ seq, at: `é ${seq}`, fact: { type: 'failed', mask: '1', repeat: seq } });
const lines = Array.from({ length: 10 }, (_, seq) => line(seq));

it('LineTexts: any stretch of lines, however they came, is the JSON of their array', () => {
  for (const sizes of [[10], [1, 9], [3, 4, 3], lines.map(() => 1)]) {
    const texts = new LineTexts();
    let first = 0;
    for (const size of sizes) {
      texts.add(linesText(lines.slice(first, first + size)));
      first += size;
    }
    expect(texts.length).toBe(10);
    for (let from = 0; from <= 10; from += 1) {
      for (let to = from; to <= 10; to += 1) {
        const text = Buffer.concat([...texts.slice(from, to)]).toString('utf8');
        expect([sizes, JSON.parse(`[${text}]`)]).toEqual([sizes, lines.slice(from, to)]);
      }
    }
    expect(lines.map(({ seq }) => JSON.parse(texts.at(seq)))).toEqual(lines);
    expect([...texts.slice(11, 20)]).toEqual([]);
    expect(() => texts.at(10)).toThrow(RangeError);
  }
});
