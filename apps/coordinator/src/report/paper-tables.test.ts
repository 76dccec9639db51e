import { describe, expect, it } from 'vitest';
import { exampleDigest, exampleRival } from './example-journal.fixture.js';
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
    expect(cell(two, ['CIFAR10', 'ResNet34'], 'NE-SGD, measured')).toBe('89.34 (mean of 3)');
    expect(cell(six, ['median'], 'ResNet34, measured (3 trainings)')).toBe('88.12');
    expect(cell(six, ['standard deviation'], 'ResNet34, measured (3 trainings)')).toBe('1.00');
  });

  it('an alpha that several runs share is one training', async () => {
    const options = { dataset: cifar10, model: 'resnet18' };
    const [two, , , , six] = paperTables([
      await exampleDigest(options),
      await exampleDigest({ ...options, runId: 'b' }),
    ]);
    expect(cell(two, ['CIFAR10', 'ResNet18'], 'SGD, measured')).toBe('89.12');
    expect(cell(two, ['CIFAR10', 'ResNet18'], 'NE-SGD, measured')).toBe('90.34 (mean of 2)');
    expect(cell(six, ['median'], 'ResNet18, measured (1 training)')).toBe('–');
  });

  it('a peer’s row has alpha, which is SGD', async () => {
    const [, three] = paperTables([await exampleDigest({ dataset: cifar10, model: 'resnet20' })]);
    expect(cell(three, ['ResNet (depth=20)'], 'CIFAR10, measured')).toBe('89.12');
  });

  it('without suppression a run counts in Table V alone, also where the paper has no such row', async () => {
    const off = { suppression: false };
    const paper = await exampleDigest({ dataset: cifar10, model: 'resnet18', evolution: off });
    // Its alpha is SGD whatever the search was; Table V has CIFAR10 with cutout alone.
    expect(filled(paperTables([paper]))).toEqual(['Table II. 89.12']);
    const pair: RunDigest[] = [await exampleDigest(), await exampleDigest({ evolution: off, shift: -0.1 })];
    const tables = paperTables(pair);
    const five = tables[3];
    expect(cell(five, ['resnet8', 'mnist'], 'With, measured')).toBe('90.34');
    expect(cell(five, ['resnet8', 'mnist'], 'Without, measured')).toBe('80.34');
    expect(filled(tables)).toHaveLength(2);
  });

  it('repeated trainings count as SGD where each met the test set, and only there', async () => {
    const options = { dataset: cifar10, model: 'resnet18' };
    const [two, , , , six] = paperTables([await exampleRival('sgd', { ...options, fitness: 'test' })]);
    expect(cell(two, ['CIFAR10', 'ResNet18'], 'SGD, measured')).toBe('91.75 (mean of 4)');
    expect(cell(two, ['CIFAR10', 'ResNet18'], 'NE-SGD, measured')).toBe('–');
    expect(cell(six, ['maximum'], 'ResNet18, measured (4 trainings)')).toBe('94.00');
    expect(filled(paperTables([await exampleRival('sgd', options)]))).toEqual([]);
  });

  it('ESGD has a row of its own, and no rival stands for NE-SGD', async () => {
    const options = { dataset: cifar10, model: 'resnet18' };
    const tables = paperTables([await exampleRival('esgd', options), await exampleRival('pbt', options)]);
    expect(cell(tables[1], ['ESGD'], 'CIFAR10, measured')).toBe('93.50');
    expect(filled(tables)).toHaveLength(1);
  });

  it('cutout counts in Table V alone', async () => {
    const dataset = { ...cifar10, augmentation: { cutout: 16 } };
    const tables = paperTables([await exampleDigest({ dataset, model: 'resnet18' })]);
    expect(cell(tables[3], ['ResNet18', 'Cifar10+cutout'], 'With, measured')).toBe('90.34');
    expect(filled(tables)).toHaveLength(1);
  });

  it('knows the paper’s fabric images by their classes', async () => {
    const classNames = ['normal', 'hole', 'crack', 'Broken Pick', 'broken_end', 'stain', 'felter'];
    const run = await exampleDigest({ dataset: { name: 'custom', path: 'fabric' }, model: 'resnet18', classNames });
    expect(cell(paperTables([run])[0], ['Aliyun-10500', 'ResNet18'], 'NE-SGD, measured')).toBe('90.34');
  });

  it('an unfinished run fills what it has: nothing was tested', async () => {
    const until = ({ type }: { type: string }) => type === 'generation';
    const run = await exampleDigest({ dataset: cifar10, model: 'resnet18', until });
    const tables = paperTables([run]);
    expect(filled(tables).map((text) => text.slice(0, 9))).toEqual(Array(5).fill('Table IV.'));
  });
});
