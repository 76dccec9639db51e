import { plural } from '../display/format.js';
import {
  FIVE_NUMBERS,
  type Measurable,
  MODEL_TITLES,
  type PaperDataset,
  type PaperModel,
  TABLE_II,
  TABLE_III,
  TABLE_IV,
  TABLE_V,
  TABLE_VI,
} from './published.js';
import type { RunDigest } from './run-digest.js';
import { fiveNumbers, mean, standardDeviation } from './statistics.js';
import { NONE, percent, type Table } from './table.js';
import {
  best,
  bySgd,
  hasSuppression,
  isEsgd,
  isEvolution,
  isNeSgd,
  leftOut,
  validatedTrainings,
} from './what-counts.js';

const DATASETS: readonly PaperDataset[] = ['CIFAR10', 'CIFAR100', 'SVHN', 'Aliyun-10500'];

/** Tables II to VI with what the given runs measured beside what the paper prints. */
export function paperTables(runs: readonly RunDigest[]): Table[] {
  const plain = runs.filter((run) => !hasCutout(run)); // Table V alone has cutout.
  return [tableTwo(plain), tableThree(plain), tableFour(plain), tableFive(runs), tableSix(plain)];
}

const print = (published: number | undefined): string => (published === undefined ? NONE : published.toFixed(2));

/** `94.82`, or of several networks `94.82 (mean of 3)`. */
function measured(accuracies: readonly number[]): string {
  if (accuracies.length === 0) return NONE;
  const value = percent(mean(accuracies));
  return accuracies.length === 1 ? value : `${value} (mean of ${accuracies.length})`;
}

/**
 * The paper's name of a run's data: names differ in case and punctuation alone. Its fabric images were not published, so
 * they are known by the classes that docs/datasets.md sorts them into.
 */
function paperDataset({ opened }: RunDigest): PaperDataset | undefined {
  const plain = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, '');
  if ([...opened.classNames].map(plain).sort().join() === FABRIC_CLASSES) return 'Aliyun-10500';
  const name = plain(opened.experiment.dataset.name);
  return DATASETS.find((dataset) => plain(dataset) === name);
}

/** How SGD was measured, where a table sets it beside a published figure. */
const SGD_NOTE =
  'SGD, measured: each alpha that is no average of weights, each training of method sgd with fitness on test, and a single training with held-out fitness. Of several with held-out fitness none counts: the test set met the one chosen alone.';

const FABRIC_CLASSES = 'brokenend,brokenpick,crack,felter,hole,normal,stain';

const modelOf = ({ opened }: RunDigest): string => opened.experiment.model.name;

const isOf =
  (dataset: PaperDataset, model: string) =>
  (run: RunDigest): boolean =>
    paperDataset(run) === dataset && modelOf(run) === model;

const hasCutout = ({ opened }: RunDigest): boolean => (opened.data.augmentation.cutout ?? 0) > 0;

const byNeSgd = (run: RunDigest): number[] => (isNeSgd(run) ? best(run) : []);

/** A run that a table of the paper's data sets could have. */
const isOnPaperData = (run: RunDigest): boolean => paperDataset(run) !== undefined;

function tableTwo(runs: readonly RunDigest[]): Table {
  const rows = TABLE_II.map(({ dataset, model, sgd, neSgd }) => {
    const of = runs.filter(isOf(dataset, model));
    return [dataset, MODEL_TITLES[model], print(sgd), measured(bySgd(of)), print(neSgd), measured(of.flatMap(byNeSgd))];
  });
  return {
    caption:
      'Table II. Classification accuracy (%) of NE-SGD implementations with different CNN models on the four data sets',
    header: ['Data set', 'CNN model', 'SGD, published', 'SGD, measured', 'NE-SGD, published', 'NE-SGD, measured'],
    rows,
    notes: [SGD_NOTE, ...leftOut(runs.filter(isOnPaperData), ['ne-sgd', 'sgd'])],
    words: [1],
  };
}

function tableThree(runs: readonly RunDigest[]): Table {
  const rows = TABLE_III.map(({ title, measured: how, accuracies }) => [
    title,
    ...DATASETS.flatMap((dataset) => {
      const of = runs.filter((run) => paperDataset(run) === dataset);
      return [print(accuracies[dataset]), measured(how ? measuredAs(how, of) : [])];
    }),
  ]);
  return {
    caption:
      'Table III. Comparisons between the proposed framework and the peer competitors in terms of classification accuracy (%)',
    header: ['', ...DATASETS.flatMap((dataset) => [`${dataset}, published`, `${dataset}, measured`])],
    rows,
    notes: [
      SGD_NOTE,
      'The paper’s 77.5 (Table II) and 77.75 (Table III) for ResNet18+NE-SGD on CIFAR100 are one experiment.',
      ...leftOut(runs.filter(isOnPaperData), ['ne-sgd', 'sgd', 'esgd']),
    ],
  };
}

function measuredAs(how: Measurable, runs: readonly RunDigest[]): number[] {
  if (how.by === 'esgd') return runs.filter(isEsgd).flatMap(best);
  const of = runs.filter((run) => modelOf(run) === how.model);
  return how.by === 'sgd' ? bySgd(of) : of.flatMap(byNeSgd);
}

function tableFour(runs: readonly RunDigest[]): Table {
  const models = Object.keys(MODEL_TITLES) as PaperModel[];
  const rows = (['CIFAR10', 'CIFAR100'] as const).flatMap((dataset) => {
    const columns = models.map((model) => {
      const of = runs.filter(isNeSgd).filter(isOf(dataset, model));
      const accuracies = of.flatMap(({ individuals }) => individuals.map(({ accuracy }) => accuracy));
      return { published: TABLE_IV[dataset][model], own: accuracies.length > 0 ? fiveNumbers(accuracies) : undefined };
    });
    return FIVE_NUMBERS.map((name, i) => [
      `${dataset}, ${name}`,
      ...columns.flatMap(({ published, own }) => [print(published[i]), percent(own?.[i])]),
    ]);
  });
  return {
    caption: 'Table IV. Box chart values of the population, by accuracy (%)',
    header: [
      '',
      ...models.flatMap((model) => [`${MODEL_TITLES[model]}, published`, `${MODEL_TITLES[model]}, measured`]),
    ],
    rows,
    notes: [
      'Measured: over all individuals of a run, by their fitness. The paper does not say which individuals its numbers are of; its maxima are Table II’s best.',
      ...leftOut(runs.filter(isOnPaperData), ['ne-sgd']),
    ],
  };
}

function tableFive(runs: readonly RunDigest[]): Table {
  const rows = TABLE_V.map(({ title, dataset, cutout, withSuppression, without }) => {
    const of = runs.filter(isOf(dataset, 'resnet18')).filter((run) => hasCutout(run) === cutout);
    const [on, off] = bySuppression(of);
    return ['ResNet18', title, print(withSuppression), on, print(without), off];
  });
  return {
    caption: 'Table V. Classification accuracy (%) with and without the suppression algorithm',
    header: ['Network', 'Data set', 'With, published', 'With, measured', 'Without, published', 'Without, measured'],
    rows: [...rows, ...suppressionPairs(runs)],
    notes: leftOut(runs, ['ne-sgd']),
    words: [1],
  };
}

/** With, and without. */
function bySuppression(runs: readonly RunDigest[]): [string, string] {
  const of = runs.filter(isEvolution);
  const [on, off] = [of.filter(hasSuppression), of.filter((run) => !hasSuppression(run))];
  return [measured(on.flatMap(best)), measured(off.flatMap(best))];
}

/** What the paper has no row for: the same network on the same data, with suppression in some runs and without in others. */
function suppressionPairs(runs: readonly RunDigest[]): string[][] {
  const groups = new Map<string, RunDigest[]>();
  for (const run of runs.filter(isEvolution)) {
    const dataset = run.opened.experiment.dataset.name;
    const inPaper = TABLE_V.some(
      (row) => row.dataset === paperDataset(run) && row.cutout === hasCutout(run) && modelOf(run) === 'resnet18',
    );
    if (inPaper) continue;
    const key = `${modelOf(run)}\n${dataset}${hasCutout(run) ? '+cutout' : ''}`;
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  const pairs = [...groups].filter(([, of]) => of.some(hasSuppression) && !of.every(hasSuppression));
  return pairs.map(([key, of]) => {
    const [on, off] = bySuppression(of);
    return [...key.split('\n'), NONE, on, NONE, off];
  });
}

function tableSix(runs: readonly RunDigest[]): Table {
  const columns = TABLE_VI.map(({ model, numbers, standardDeviation: published }) => {
    const { accuracies, what } = spread(runs.filter(isOf('CIFAR10', model)));
    const own = accuracies.length > 1 ? [...fiveNumbers(accuracies), standardDeviation(accuracies)] : undefined;
    return { model, published: [...numbers, published], own, what };
  });
  const rows = [...FIVE_NUMBERS, 'standard deviation'].map((name, i) => [
    name,
    ...columns.flatMap(({ published, own }) => [print(published[i]), percent(own?.[i])]),
  ]);
  return {
    caption: 'Table VI. Classification accuracy (%) of networks trained by SGD again and again, on CIFAR10',
    header: [
      '',
      ...columns.flatMap(({ model, what }) => [
        `${MODEL_TITLES[model]}, published`,
        `${MODEL_TITLES[model]}, measured (${what})`,
      ]),
    ],
    rows,
    notes: [
      'Published: 100 trainings. Measured: test accuracies of each alpha, of each training of method sgd with fitness on test, and of single ones; from two on. Where there are fewer, the validation accuracies of repeated trainings, as their heading then says: their test accuracies were not measured.',
      ...leftOut(runs.filter(isOnPaperData), ['sgd']),
    ],
  };
}

/** Test accuracies as the paper has them; without those, what repeated trainings had on images held out of training. */
function spread(runs: readonly RunDigest[]): { accuracies: number[]; what: string } {
  const [tested, validated] = [bySgd(runs), validatedTrainings(runs)];
  if (tested.length > 1 || validated.length < 2) return { accuracies: tested, what: plural(tested.length, 'training') };
  return { accuracies: validated, what: `${plural(validated.length, 'training')}, validation accuracy` };
}
