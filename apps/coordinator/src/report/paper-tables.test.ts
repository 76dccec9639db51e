import { describe, expect, it } from 'vitest';
import { exampleDigest } from './example-journal.fixture.js';
import { paperTables } from './paper-tables.js';
import type { RunDigest } from './run-digest.js';
import type { Table } from './table.js';

const cifar10 = { name: 'cifar10', path: 'cifar' };

/** The cell of a row by its first texts and of a column by its heading. */
function cell(table: Table | undefined, row: readonly string[], column: string): string | undefined {
  const found = table?.rows.filter((cells) => row.every((text, i) => cells[i] === text));
  expect(found, `${table?.caption}: rows that begin with ${row.join(', ')}`).toHaveLength(1);
  const at = table?.header.indexOf(column) ?? -1;
  expect(at, `${table?.caption}: a column ${column}`).toBeGreaterThan(0);
  return found?.[0]?.[at];
}

const filled = (tables: readonly Table[]): string[] =>
  tables.flatMap(({ caption, header, rows }) =>
    rows.flatMap((cells) =>
      cells.flatMap((text, i) =>
        header[i]!.includes('measured') && text !== '–' ? [`${caption.slice(0, 9)} ${text}`] : [],
      ),
    ),
  );

describe('paperTables', () => {
  it('without runs has the published numbers alone', () => {
    const tables = paperTables([]);
    expect(filled(tables)).toEqual([]);
    const [two, three, four, five, six] = tables;
    expect(cell(two, ['CIFAR100', 'DPN92'], 'NE-SGD, published')).toBe('79.71');
    expect(cell(three, ['FractalNet'], 'SVHN, published')).toBe('97.99');
    expect(cell(four, ['CIFAR10, lower quartile'], 'DPN92, published')).toBe('95.00');
    expect(cell(five, ['ResNet18', 'Aliyun-10500'], 'Without, published')).toBe('97.90');
    expect(cell(six, ['standard deviation'], 'ResNet34, published')).toBe('0.17');
  });

  it('puts a run of the paper’s network and data where the paper has it, and nowhere else', async () => {
    const run = await exampleDigest({ dataset: cifar10, model: 'resnet18' });
    const tables = paperTables([run]);
    const [two, three, four] = tables;
    expect(cell(two, ['CIFAR10', 'ResNet18'], 'SGD, measured')).toBe('89.12');
    expect(cell(two, ['CIFAR10', 'ResNet18'], 'NE-SGD, measured')).toBe('90.34');
    expect(cell(three, ['ResNet18+NE-SGD'], 'CIFAR10, measured')).toBe('90.34');
    const accuracies = run.individuals.map(({ accuracy }) => accuracy);
    const lowest = (100 * Math.min(...accuracies)).toFixed(2);
    expect(cell(four, ['CIFAR10, minimum'], 'ResNet18, measured')).toBe(lowest);
    expect(cell(four, ['CIFAR10, maximum'], 'ResNet18, measured')).toBe((100 * run.best!.accuracy).toFixed(2));
    expect(filled(tables)).toHaveLength(2 + 1 + 5);
  });

  it('gives the mean of several runs, and says of how many', async () => {
    const runs = [0, -0.01, -0.02].map((shift) => exampleDigest({ dataset: cifar10, model: 'resnet34', shift }));
    const [two, , , , six] = paperTables(await Promise.all(runs));
    expect(cell(two, ['CIFAR10', 'ResNet34'], 'NE-SGD, measured')).toBe('89.34 (3 runs)');
    expect(cell(six, ['median'], 'ResNet34, measured (3 runs)')).toBe('88.12');
    expect(cell(six, ['standard deviation'], 'ResNet34, measured (3 runs)')).toBe('1.00');
  });

  it('a peer’s row has alpha, which is SGD', async () => {
    const [, three] = paperTables([await exampleDigest({ dataset: cifar10, model: 'resnet20' })]);
    expect(cell(three, ['ResNet (depth=20)'], 'CIFAR10, measured')).toBe('89.12');
  });

  it('without suppression a run counts in Table V alone, also where the paper has no such row', async () => {
    const off = { suppression: false };
    const paper = await exampleDigest({ dataset: cifar10, model: 'resnet18', evolution: off });
    expect(filled(paperTables([paper]))).toEqual([]); // Table V has CIFAR10 with cutout alone.
    const pair: RunDigest[] = [await exampleDigest(), await exampleDigest({ evolution: off, shift: -0.1 })];
    const tables = paperTables(pair);
    const five = tables[3];
    expect(cell(five, ['resnet8', 'mnist'], 'With, measured')).toBe('90.34');
    expect(cell(five, ['resnet8', 'mnist'], 'Without, measured')).toBe('80.34');
    expect(filled(tables)).toHaveLength(2);
  });

  it('an unfinished run fills what it has: nothing was tested', async () => {
    const until = ({ type }: { type: string }) => type === 'generation';
    const run = await exampleDigest({ dataset: cifar10, model: 'resnet18', until });
    const tables = paperTables([run]);
    expect(filled(tables).map((text) => text.slice(0, 9))).toEqual(Array(5).fill('Table IV.'));
  });
});
