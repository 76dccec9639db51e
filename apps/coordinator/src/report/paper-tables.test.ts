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

  it('repeated trainings count as SGD where each met the test set', async () => {
    const options = { dataset: cifar10, model: 'resnet18' };
    const [two, , , , six] = paperTables([await exampleRival('sgd', { ...options, fitness: 'test' })]);
    expect(cell(two, ['CIFAR10', 'ResNet18'], 'SGD, measured')).toBe('91.75 (mean of 4)');
    expect(cell(two, ['CIFAR10', 'ResNet18'], 'NE-SGD, measured')).toBe('–');
    expect(cell(six, ['maximum'], 'ResNet18, measured (4 trainings)')).toBe('94.00');
  });

  it('of repeated trainings with held-out fitness Table VI has the validation accuracies, and says so; no table the chosen one', async () => {
    const run = await exampleRival('sgd', { dataset: cifar10, model: 'resnet18' });
    const tables = paperTables([run]);
    const column = 'ResNet18, measured (4 trainings, validation accuracy)';
    expect(cell(tables[4], ['minimum'], column)).toBe('90.00');
    expect(cell(tables[4], ['maximum'], column)).toBe('94.00');
    expect(filled(tables)).toHaveLength(6);
    const alphas = [
      await exampleDigest({ dataset: cifar10, model: 'resnet18' }),
      await exampleDigest({ dataset: cifar10, model: 'resnet18', shift: -0.01 }),
    ];
    const six = paperTables([run, ...alphas])[4];
    expect(cell(six, ['maximum'], 'ResNet18, measured (2 trainings)'), 'test accuracies go first').toBe('89.12');
  });

  it('a single training counts by its test accuracy, whatever its fitness was measured on', async () => {
    const peer = { dataset: cifar10, model: 'resnet20', single: true } as const;
    const [, three] = paperTables([await exampleRival('sgd', peer)]);
    expect(cell(three, ['ResNet (depth=20)'], 'CIFAR10, measured')).toBe('93.50');
    const own = await exampleRival('sgd', { ...peer, model: 'resnet18' });
    const tables = paperTables([own, await exampleDigest({ dataset: cifar10, model: 'resnet18' })]);
    expect(cell(tables[0], ['CIFAR10', 'ResNet18'], 'SGD, measured')).toBe('91.31 (mean of 2)');
    expect(cell(tables[4], ['maximum'], 'ResNet18, measured (2 trainings)')).toBe('93.50');
  });

  it('ESGD has a row of its own, and no rival stands for NE-SGD', async () => {
    const options = { dataset: cifar10, model: 'resnet18' };
    const tables = paperTables([await exampleRival('esgd', options), await exampleRival('pbt', options)]);
    expect(cell(tables[1], ['ESGD'], 'CIFAR10, measured')).toBe('93.50');
    expect(filled(tables)).toHaveLength(1);
  });

  const retrain = { epochs: 2, learningRateRetained: 0.01, learningRateReinitialised: 0.1 };
  it.each([
    ['budget', { experiment: { budget: 100_000 } }],
    ['retrain.averageLast', { experiment: { retrain: { ...retrain, averageLast: 2 } } }],
    ['evolution.inherit', { evolution: { inherit: 'best' } }],
    ['evolution.firstEpochs', { evolution: { firstEpochs: 1 } }],
    ['evolution.stopBelowMedian', { evolution: { stopBelowMedian: [0.5] } }],
    ['evolution.successiveHalving', { evolution: { successiveHalving: { firstEpochs: 1 } } }],
    ['evolution.steadyStateLag', { evolution: { steadyStateLag: 2 } }],
  ])(
    'a run with %s is no NE-SGD of the paper’s: its alpha counts alone, and the tables say so',
    async (key, options) => {
      const run = await exampleDigest({ dataset: cifar10, model: 'resnet18', ...options });
      const tables = paperTables([run]);
      expect(filled(tables)).toEqual(['Table II. 89.12']);
      const note = `Left out (but for an alpha trained plainly), as their settings are not of the paper’s method: example (${key}).`;
      expect(tables.map(({ notes }) => notes.includes(note))).toEqual([true, true, true, true, false]);
      const plain = await exampleDigest({ dataset: cifar10, model: 'resnet18', runId: 'plain' });
      expect(cell(paperTables([plain, run])[0], ['CIFAR10', 'ResNet18'], 'NE-SGD, measured')).toBe('90.34');
    },
  );

  it('nor does a variant stand for NE-SGD in Table V, with suppression or without', async () => {
    const evolution = { inherit: 'best' };
    const runs = [
      await exampleDigest({ evolution }),
      await exampleDigest({ evolution: { ...evolution, suppression: false } }),
    ];
    expect(filled(paperTables(runs))).toEqual([]);
  });

  it('an alpha that is an average of weights is not SGD, nor are trainings that a budget ends', async () => {
    const alpha = { epochs: 4, learningRate: 0.1, averageLast: 2 };
    const options = { dataset: cifar10, model: 'resnet18', fitness: 'test' } as const;
    const averaged = paperTables([await exampleDigest({ ...options, experiment: { alpha } })]);
    expect(filled(averaged)).toEqual([]);
    const budget = { budget: 8000 };
    for (const method of ['sgd', 'esgd'] as const) {
      const tables = paperTables([await exampleRival(method, { ...options, experiment: budget })]);
      expect(filled(tables)).toEqual([]);
      expect(tables[1]!.notes.at(-1)).toContain('example (budget)');
    }
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
