import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Experiment, loadExperiment } from '@nesgd/core/run';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DryRun, dryRun } from '../../apps/coordinator/src/commands/dry-run.js';
import { readConfig } from '../../apps/coordinator/src/config.js';
import { TABLE_II, TABLE_III, TABLE_IV, TABLE_V, TABLE_VI } from '../../apps/coordinator/src/report/published.js';

const FOLDER = fileURLToPath(new URL('../../experiments/paper/', import.meta.url));
const files = (await readdir(FOLDER, { recursive: true })).filter((file) => file.endsWith('.yaml')).sort();
const HOUR = 3600;

let empty: string;
beforeAll(async () => {
  empty = await mkdtemp(join(tmpdir(), 'nesgd-no-runs-'));
});
afterAll(() => rm(empty, { recursive: true }));

const load = (file: string, ...set: string[]): Promise<Experiment> => loadExperiment(join(FOLDER, file), { set });
const cost = (file: string, ...set: string[]): Promise<DryRun> =>
  dryRun(
    join(FOLDER, file),
    { set, engine: 'auto', device: 'cpu', workers: 2, runs: empty },
    { config: readConfig(process.env), watch: () => {}, signal: new AbortController().signal, stop: () => {} },
  );

describe.each(files)('experiments/paper/%s', (file) => {
  it('has the settings of Table I and what was published, under its own name', async () => {
    const { alpha, retrain, evolution, expectation, fitness, dataset, name } = await load(file);
    expect(alpha).toMatchObject({ epochs: 350, batchSize: 128, weightDecay: 5e-4 });
    expect(retrain).toMatchObject({ epochs: 350, batchSize: 128, weightDecay: 5e-4 });
    expect(evolution).toMatchObject({
      generations: 30,
      populationSize: 5,
      crossoverProbability: 0.9,
      mutationProbability: 0.1,
    });
    expect({ fitness, validationFraction: dataset.validationFraction }).toEqual({
      fitness: 'test',
      validationFraction: 0,
    });
    expect(expectation?.source).toMatch(/^(Table (II|III|IV|V|VI)|Fig\. 3)/);
    expect(name).toBe(file.replace('.yaml', '').replaceAll('/', '-'));
    expect(await readFile(join(FOLDER, file), 'utf8')).toContain(`nesgd run experiments/paper/${file}`);
  });

  it('says what it costs; its small profile, held out, takes less than an hour on two cores', async () => {
    const { method, budget } = await load(file);
    const full = await cost(file);
    const evaluations = { 'ne-sgd': 155, sgd: method.sgd.repeats, esgd: 100 }[method.name as string];
    expect(full.evaluations).toBe(evaluations);
    expect(budget).toBeUndefined();
    if (method.name === 'ne-sgd') expect(full).toMatchObject({ jobs: 158, epochs: 350 * 156 });
    expect(full.estimatedSeconds).toBeGreaterThan(HOUR);

    const small = await cost(file, 'profile=small');
    expect(small.estimatedSeconds).toBeGreaterThan(5);
    expect(small.estimatedSeconds).toBeLessThan(HOUR);
    const { fitness, dataset } = await load(file, 'profile=small');
    expect(fitness).toBe('validation');
    expect(dataset.validationFraction).toBeGreaterThan(0);
  });
});

describe('the published numbers', () => {
  const folders = { CIFAR10: 'cifar10', CIFAR100: 'cifar100', SVHN: 'svhn', 'Aliyun-10500': 'aliyun' } as const;
  const percent = (accuracy: number | undefined) => Math.round((accuracy ?? Number.NaN) * 1e4) / 100;

  it('Table II: a file for each row', async () => {
    for (const { dataset, model, sgd, neSgd } of TABLE_II) {
      const { expectation, model: own } = await load(`table-2/${folders[dataset]}-${model}.yaml`);
      expect([own.name, percent(expectation?.testAccuracy), percent(expectation?.sgdTestAccuracy)]).toEqual([
        model,
        neSgd,
        sgd,
      ]);
    }
  });

  it('Table III: a file for each figure of a network that is here, and for ESGD', async () => {
    const expected = TABLE_III.flatMap(({ measured, accuracies }) =>
      Object.entries(accuracies).flatMap(([dataset, accuracy]) => {
        const suffix = measured?.by === 'neSgd' ? '-ne-sgd' : '';
        const which = measured && ('model' in measured ? `${measured.model}${suffix}` : measured.by);
        return which ? [{ file: `table-3/${folders[dataset as keyof typeof folders]}-${which}.yaml`, accuracy }] : [];
      }),
    );
    for (const { file, accuracy } of expected)
      expect(percent((await load(file)).expectation?.testAccuracy), file).toBe(accuracy);
    expect(files.filter((file) => file.startsWith('table-3/'))).toEqual(expected.map(({ file }) => file).sort());
  });

  it('Tables IV to VI', async () => {
    const five = ({ expectation: e }: Experiment) =>
      [e?.minimum, e?.lowerQuartile, e?.median, e?.upperQuartile, e?.maximum].map(percent);
    expect(five(await load('table-4.yaml'))).toEqual(TABLE_IV.CIFAR10.resnet18);
    const six = await load('table-6.yaml');
    expect(five(six)).toEqual(TABLE_VI[0]!.numbers);
    expect(percent(six.expectation?.standardDeviation)).toBe(TABLE_VI[0]!.standardDeviation);
    expect(six.method).toMatchObject({ name: 'sgd', sgd: { repeats: 100 } });
    for (const { dataset, cutout, withSuppression, without } of TABLE_V) {
      for (const [suffix, accuracy] of [['with', withSuppression] as const, ['without', without] as const]) {
        const e = await load(`table-5/${folders[dataset]}-${suffix}-suppression.yaml`);
        expect(percent(e.expectation?.testAccuracy)).toBe(accuracy);
        expect(e.evolution.suppression).toBe(suffix === 'with');
        expect((e.dataset.augmentation.cutout ?? 0) > 0).toBe(cutout);
      }
    }
  });
});
