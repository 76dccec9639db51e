import type { OpenedFact } from '@nesgd/core/run';
import { PbfReader } from 'pbf';
import { describe, expect, it } from 'vitest';
import { exampleJournal, exampleRivalJournal } from '../report/example-journal.fixture.js';
import { tensorBoardFiles } from './run-events.js';

interface Read {
  step: number;
  tag: string;
  value: number;
}

/** The scalars of an event file, in order. Checksums are the other test's. */
function scalarsOf(file: Uint8Array): Read[] {
  const bytes = Buffer.from(file);
  const scalars: Read[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(bytes.readBigUInt64LE(at));
    const read: Read = { step: 0, tag: '', value: Number.NaN };
    const value = (field: number, to: Read, pbf: PbfReader) => {
      if (field === 1) to.tag = pbf.readString();
      if (field === 2) to.value = pbf.readFloat();
    };
    const summary = (field: number, to: Read, pbf: PbfReader) => {
      if (field === 1) pbf.readMessage(value, to);
    };
    new PbfReader(bytes.subarray(at + 12, at + 12 + length)).readFields((field, to, pbf) => {
      if (field === 2) to.step = pbf.readVarint();
      if (field === 5) pbf.readMessage(summary, to);
    }, read);
    if (read.tag) scalars.push(read);
    at += 16 + length;
  }
  return scalars;
}

const values = (scalars: Read[] | undefined, tag: string) =>
  (scalars ?? []).filter((scalar) => scalar.tag === tag).map(({ step, value }) => [step, value]);

describe('tensorBoardFiles', () => {
  it('has every curve, and the search by generation, as the journal has them', async () => {
    const lines = await exampleJournal();
    const files = tensorBoardFiles(lines, lines[0]!.fact as OpenedFact);
    const folders = new Map([...files].map(([path, file]) => [path.slice(0, path.lastIndexOf('/')), scalarsOf(file)]));
    const facts = lines.map((line) => line.fact);
    const generations = facts.filter((fact) => fact.type === 'generation');
    const individuals = facts.filter((fact) => fact.type === 'evaluated');

    expect([...folders.keys()].sort()).toEqual(
      ['alpha', 'search', ...individuals.map(({ mask }) => `individuals/${mask}`)].sort(),
    );
    for (const { mask, curve } of individuals) {
      const accuracies = values(folders.get(`individuals/${mask}`), 'accuracy/validation');
      expect(accuracies).toEqual(curve.map(({ epoch, accuracy }) => [4 + epoch, expect.closeTo(accuracy!, 6)]));
    }
    expect(values(folders.get('alpha'), 'loss/train')).toEqual(
      [1, 2, 3, 4].map((epoch) => [epoch, expect.closeTo(1 / epoch, 6)]),
    );
    expect(values(folders.get('alpha'), 'accuracy/test of alpha')).toEqual([[0, expect.closeTo(0.8912, 6)]]);
    expect(values(folders.get('search'), 'search/nabla')).toEqual(
      generations.map(({ t, nabla }) => [t, expect.closeTo(nabla, 6)]),
    );
    expect(values(folders.get('search'), 'search/best')).toEqual(
      generations.map(({ t, best }) => [t, expect.closeTo(best.fitness, 6)]),
    );
  });

  it('has the trainings and steps of a method without masks', async () => {
    const lines = await exampleRivalJournal('sgd');
    const files = tensorBoardFiles(lines, lines[0]!.fact as OpenedFact);
    expect([...files.keys()].map((path) => path.slice(0, path.lastIndexOf('/')))).toEqual([
      'individuals/a-1',
      'individuals/a-2',
      'search',
      'individuals/b-1',
      'individuals/b-2',
    ]);
    const search = scalarsOf([...files].find(([path]) => path.startsWith('search/'))![1]);
    expect(values(search, 'search/best')).toEqual([
      [1, expect.closeTo(0.92, 6)],
      [2, expect.closeTo(0.94, 6)],
    ]);
  });

  it('leaves out what was not measured', async () => {
    const lines = await exampleJournal();
    const diverged = lines.map((line) =>
      line.fact.type === 'alpha'
        ? {
            ...line,
            fact: {
              ...line.fact,
              curve: [
                { epoch: 1, trainLoss: null, accuracy: 0.1 },
                { epoch: 2, trainLoss: 0.5, accuracy: null },
              ],
            },
          }
        : line,
    );
    const files = tensorBoardFiles(diverged, lines[0]!.fact as OpenedFact);
    const scalars = scalarsOf([...files].find(([path]) => path.startsWith('alpha/'))![1]);
    expect(values(scalars, 'loss/train')).toEqual([[2, 0.5]]);
    expect(values(scalars, 'accuracy/validation')).toEqual([[1, expect.closeTo(0.1, 6)]]);
  });

  it('of a run that has only begun has nothing', async () => {
    const lines = await exampleJournal({ until: ({ type }) => type === 'opened' });
    expect(tensorBoardFiles(lines, lines[0]!.fact as OpenedFact)).toEqual(new Map());
  });
});
