import {
  FIVE_NUMBERS,
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

const DATASETS: readonly PaperDataset[] = ['CIFAR10', 'CIFAR100', 'SVHN', 'Aliyun-10500'];

/** Tables II to VI with what the given runs measured beside what the paper prints. */
export function paperTables(runs: readonly RunDigest[]): Table[] {
  // Without suppression, or with cutout, is another method: Table V alone has those.
  const plain = runs.filter((run) => isNeSgd(run) && !hasCutout(run));
  return [tableTwo(plain), tableThree(plain), tableFour(plain), tableFive(runs), tableSix(runs)];
}

const print = (published: number | undefined): string => (published === undefined ? NONE : published.toFixed(2));

/** `94.82`, or of several runs `94.82 (3 runs)`, their mean. */
function measured(accuracies: readonly (number | undefined)[]): string {
  const known = accuracies.filter((accuracy) => accuracy !== undefined);
  if (known.length === 0) return NONE;
  return known.length === 1 ? percent(known[0]) : `${percent(mean(known))} (${known.length} runs)`;
}

/** The paper's name of a run's data: names differ in case and punctuation alone. */
function paperDataset({ opened }: RunDigest): PaperDataset | undefined {
  const plain = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, '');
  return DATASETS.find((dataset) => plain(dataset) === plain(opened.experiment.dataset.name));
}

const modelOf = ({ opened }: RunDigest): string => opened.experiment.model.name;

const isNeSgd = ({ opened }: RunDigest): boolean => opened.experiment.evolution.suppression;

/** How the measured runs differ from the paper's experiments: their numbers cannot be compared without it. */
export function measuredBy(runs: readonly RunDigest[]): string[] {
  return runs.map(({ runId, opened, alpha }) => {
    const { experiment, data } = opened;
    const { dataset, model, retrain, evolution, fitness } = experiment;
    const images = data.trainImages === null ? 'all training images' : `${data.trainImages} training images`;
    return `${runId}: ${model.name} on ${dataset.name}, ${images}, alpha ${alpha?.curve.length ?? 0} epochs, retraining ${retrain.epochs}, ${evolution.generations} generations of ${evolution.populationSize}, fitness on ${fitness}.`;
  });
}

function tableTwo(runs: readonly RunDigest[]): Table {
  const rows = TABLE_II.map(({ dataset, model, sgd, neSgd }) => {
    const of = runs.filter((run) => paperDataset(run) === dataset && modelOf(run) === model);
    return [
      dataset,
      MODEL_TITLES[model],
      print(sgd),
      measured(of.map(({ test }) => test.alpha)),
      print(neSgd),
      measured(of.map(({ test }) => test.best)),
    ];
  });
  return {
    caption:
      'Table II. Classification accuracy (%) of NE-SGD implementations with different CNN models on the four data sets',
    header: ['Data set', 'CNN model', 'SGD, published', 'SGD, measured', 'NE-SGD, published', 'NE-SGD, measured'],
    rows,
    notes: [],
    words: [1],
  };
}

function tableThree(runs: readonly RunDigest[]): Table {
  const rows = TABLE_III.map(({ title, measured: how, accuracies }) => [
    title,
    ...DATASETS.flatMap((dataset) => {
      const of = runs.filter((run) => how && paperDataset(run) === dataset && modelOf(run) === how.model);
      return [print(accuracies[dataset]), measured(of.map(({ test }) => (how?.by === 'sgd' ? test.alpha : test.best)))];
    }),
  ]);
  return {
    caption:
      'Table III. Comparisons between the proposed framework and the peer competitors in terms of classification accuracy (%)',
    header: ['', ...DATASETS.flatMap((dataset) => [`${dataset}, published`, `${dataset}, measured`])],
    rows,
    notes: [
      'Measured for the peers: alpha, that is this program’s SGD. The paper’s 77.5 (Table II) and 77.75 (Table III) for ResNet18+NE-SGD on CIFAR100 are one experiment.',
    ],
  };
}

function tableFour(runs: readonly RunDigest[]): Table {
  const models = Object.keys(MODEL_TITLES) as PaperModel[];
  const rows = (['CIFAR10', 'CIFAR100'] as const).flatMap((dataset) => {
    const columns = models.map((model) => {
      const of = runs.filter((run) => paperDataset(run) === dataset && modelOf(run) === model);
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
    ],
  };
}

function tableFive(runs: readonly RunDigest[]): Table {
  const rows = TABLE_V.map(({ title, dataset, cutout, withSuppression, without }) => {
    const of = runs.filter(
      (run) => paperDataset(run) === dataset && modelOf(run) === 'resnet18' && hasCutout(run) === cutout,
    );
    const best = (suppression: boolean) =>
      of.filter((run) => isNeSgd(run) === suppression).map(({ test }) => test.best);
    return ['ResNet18', title, print(withSuppression), measured(best(true)), print(without), measured(best(false))];
  });
  return {
    caption: 'Table V. Classification accuracy (%) with and without the suppression algorithm',
    header: ['Network', 'Data set', 'With, published', 'With, measured', 'Without, published', 'Without, measured'],
    rows: [...rows, ...suppressionPairs(runs)],
    notes: [],
    words: [1],
  };
}

const hasCutout = ({ opened }: RunDigest): boolean => {
  const { augmentation } = opened.data;
  return 'cutout' in augmentation && Number(augmentation.cutout) > 0;
};

/** What the paper has no row for: the same network on the same data, with suppression in some runs and without in others. */
function suppressionPairs(runs: readonly RunDigest[]): string[][] {
  const groups = new Map<string, RunDigest[]>();
  for (const run of runs) {
    const dataset = run.opened.experiment.dataset.name;
    const inPaper = TABLE_V.some(
      (row) => row.dataset === paperDataset(run) && row.cutout === hasCutout(run) && modelOf(run) === 'resnet18',
    );
    if (inPaper) continue;
    const key = `${modelOf(run)}\n${dataset}${hasCutout(run) ? '+cutout' : ''}`;
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  const pairs = [...groups].filter(([, of]) => of.some(isNeSgd) && !of.every(isNeSgd));
  return pairs.map(([key, of]) => {
    const best = (suppression: boolean) =>
      of.filter((run) => isNeSgd(run) === suppression).map(({ test }) => test.best);
    return [...key.split('\n'), NONE, measured(best(true)), NONE, measured(best(false))];
  });
}

function tableSix(runs: readonly RunDigest[]): Table {
  const columns = TABLE_VI.map(({ model, numbers, standardDeviation: published }) => {
    const of = runs.filter(
      (run) => paperDataset(run) === 'CIFAR10' && modelOf(run) === model && run.test.alpha !== undefined,
    );
    const accuracies = of.map(({ test }) => test.alpha!);
    const own = accuracies.length > 1 ? [...fiveNumbers(accuracies), standardDeviation(accuracies)] : undefined;
    return { model, published: [...numbers, published], own, runs: accuracies.length };
  });
  const rows = [...FIVE_NUMBERS, 'standard deviation'].map((name, i) => [
    name,
    ...columns.flatMap(({ published, own }) => [print(published[i]), percent(own?.[i])]),
  ]);
  return {
    caption: 'Table VI. Classification accuracy (%) of networks trained by SGD again and again, on CIFAR10',
    header: [
      '',
      ...columns.flatMap(({ model, runs: n }) => [
        `${MODEL_TITLES[model]}, published`,
        `${MODEL_TITLES[model]}, measured (${n} runs)`,
      ]),
    ],
    rows,
    notes: ['Published: 100 trainings. Measured: alpha’s test accuracy in the given runs, from two runs on.'],
  };
}
