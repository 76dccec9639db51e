import { appendFile, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EvaluatedFact } from './facts.js';
import { canonicalFacts, Journal, readJournal, readJournalFrom, readJournalSlices } from './journal.js';

const fact = (mask: string, accuracy = 0.5): EvaluatedFact => ({
  type: 'evaluated',
  mask,
  repeat: 0,
  accuracy,
  curve: [{ epoch: 1, trainLoss: 1.25, accuracy }],
  weights: null,
  imagesTrained: 100,
});

describe('Journal', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nesgd-journal-'));
    path = join(folder, 'journal.jsonl');
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function write(...masks: string[]): Promise<void> {
    const journal = await Journal.open(path);
    await Promise.all(masks.map((mask) => journal.append(fact(mask))));
    await journal.close();
  }

  it('gives back what was appended, in order, and goes on counting', async () => {
    await write('101', '110');
    await write('011');
    const { lines } = await readJournal(path);
    expect(lines.map((line) => [line.seq, (line.fact as EvaluatedFact).mask])).toEqual([
      [0, '101'],
      [1, '110'],
      [2, '011'],
    ]);
  });

  it('is on disk when append resolves', async () => {
    const journal = await Journal.open(path);
    await journal.append(fact('1'));
    expect(await readFile(path, 'utf8')).toContain('"mask":"1"');
    await journal.close();
  });

  it('drops a torn last line, whatever byte it was cut at, and overwrites nothing else', async () => {
    await write('101', '110');
    const whole = await readFile(path);
    const firstLine = whole.indexOf('\n') + 1;
    for (let length = firstLine; length < whole.length; length++) {
      await writeFile(path, whole);
      await truncate(path, length);
      const journal = await Journal.open(path);
      expect(journal.lines.length, `cut at byte ${length}`).toBe(1);
      await journal.append(fact('000'));
      await journal.close();
      const { lines } = await readJournal(path);
      expect(lines.map((line) => (line.fact as EvaluatedFact).mask)).toEqual(['101', '000']);
    }
  });

  it('is read on from where it was read before, whole lines only, and keeps counting', async () => {
    const first = await readJournalFrom(path, { wholeBytes: 0, lines: 0 });
    expect(first).toEqual({ lines: [], wholeBytes: 0 });
    await write('101', '110');
    const second = await readJournalFrom(path, { wholeBytes: 0, lines: 0 });
    await write('011');
    await appendFile(path, '{"seq":3');
    const third = await readJournalFrom(path, { wholeBytes: second.wholeBytes, lines: 2 });
    expect(third.lines.map(({ seq }) => seq)).toEqual([2]);
    expect(await readJournalFrom(path, { wholeBytes: third.wholeBytes, lines: 3 })).toEqual({
      lines: [],
      wholeBytes: third.wholeBytes,
    });
    await expect(readJournalFrom(path, { wholeBytes: second.wholeBytes, lines: 1 })).rejects.toThrow(/line 2.*not 1/);
  });

  it('is read in slices, a line longer than a slice among them, and as a whole it is the same', async () => {
    await write('1', '0'.repeat(3_000_000), '01');
    const slices = [];
    for await (const slice of readJournalSlices(path, { wholeBytes: 0, lines: 0 })) slices.push(slice);
    expect(slices.length).toBeGreaterThan(1);
    const whole = await readJournal(path);
    expect(slices.flatMap(({ lines }) => lines)).toEqual(whole.lines);
    expect(slices.at(-1)?.wholeBytes).toBe(whole.wholeBytes);
    expect(whole.lines.map(({ fact }) => (fact as EvaluatedFact).mask.length)).toEqual([1, 3_000_000, 2]);
  });

  it.each([
    ['a line that is not JSON', 'nonsense\n', /line 2 is damaged/],
    [
      'an unknown kind of fact',
      '{"seq":1,"meta":{"at":"2026-01-01T00:00:00Z"},"fact":{"type":"rumour"}}\n',
      /line 2 is not a fact/,
    ],
    [
      'an accuracy above 1',
      `{"seq":1,"meta":{"at":"2026-01-01T00:00:00Z"},"fact":${JSON.stringify(fact('1', 1.5))}}\n`,
      /line 2.*accuracy/,
    ],
    [
      'a gap in the numbering',
      `{"seq":7,"meta":{"at":"2026-01-01T00:00:00Z"},"fact":${JSON.stringify(fact('1'))}}\n`,
      /line 2.*seq is 7, not 1/,
    ],
  ])('refuses %s, naming file and line', async (_, text, message) => {
    await write('101');
    await appendFile(path, text);
    await expect(Journal.open(path)).rejects.toThrow(message);
    await expect(Journal.open(path)).rejects.toThrow(path);
  });

  it('has the same canonical facts however the evaluations arrived', async () => {
    await write('101', '110', '011');
    const one = canonicalFacts((await readJournal(path)).lines);
    await rm(path);
    await write('011', '101', '110');
    expect(canonicalFacts((await readJournal(path)).lines)).toEqual(one);
  });
});
