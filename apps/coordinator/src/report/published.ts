/**
 * The paper's own numbers, as printed: H. Zhang, K. Hao, L. Gao, B. Wei, X. Tang, "Optimizing Deep Neural Networks through
 * Neuroevolution with Stochastic Gradient Descent", Tables II to VI. Accuracies in per cent on the test set.
 * `docs/paper-map.md` lists what contradicts itself in them.
 */
export const SOURCE =
  'Zhang et al., Optimizing Deep Neural Networks through Neuroevolution with Stochastic Gradient Descent';

export type PaperDataset = 'CIFAR10' | 'CIFAR100' | 'SVHN' | 'Aliyun-10500';
/** Names of networks in an experiment (`model.name`) that the paper has as well. */
export type PaperModel = 'resnet18' | 'resnet34' | 'densenet121' | 'dpn92';

export const MODEL_TITLES: Readonly<Record<PaperModel, string>> = {
  resnet18: 'ResNet18',
  resnet34: 'ResNet34',
  densenet121: 'DenseNet121',
  dpn92: 'DPN92',
};

interface TableTwoRow {
  readonly dataset: PaperDataset;
  readonly model: PaperModel;
  readonly sgd: number;
  readonly neSgd: number;
}

export const TABLE_II: readonly TableTwoRow[] = [
  { dataset: 'CIFAR10', model: 'resnet18', sgd: 93.14, neSgd: 94.82 },
  { dataset: 'CIFAR10', model: 'resnet34', sgd: 93.78, neSgd: 95.05 },
  { dataset: 'CIFAR10', model: 'densenet121', sgd: 95.04, neSgd: 95.61 },
  { dataset: 'CIFAR10', model: 'dpn92', sgd: 95.16, neSgd: 95.56 },
  { dataset: 'CIFAR100', model: 'resnet18', sgd: 75.27, neSgd: 77.5 },
  { dataset: 'CIFAR100', model: 'resnet34', sgd: 75.78, neSgd: 78.31 },
  { dataset: 'CIFAR100', model: 'densenet121', sgd: 77.46, neSgd: 78.98 },
  { dataset: 'CIFAR100', model: 'dpn92', sgd: 78.08, neSgd: 79.71 },
  { dataset: 'SVHN', model: 'resnet18', sgd: 97.24, neSgd: 98.23 },
  { dataset: 'Aliyun-10500', model: 'resnet18', sgd: 94.61, neSgd: 98.09 },
];

/** A network by SGD alone or by NE-SGD, or whatever network ESGD trained: the paper does not say which. */
export type Measurable = { readonly model: string; readonly by: 'sgd' | 'neSgd' } | { readonly by: 'esgd' };

interface TableThreeRow {
  readonly title: string;
  /** What can be measured of it here; null for a network that this program has not. */
  readonly measured: Measurable | null;
  readonly accuracies: Readonly<Partial<Record<PaperDataset, number>>>;
}

const bySgd = (model: string) => ({ model, by: 'sgd' as const });

export const TABLE_III: readonly TableThreeRow[] = [
  { title: 'ResNet (depth=20)', measured: bySgd('resnet20'), accuracies: { CIFAR10: 91.25 } },
  { title: 'ResNet (depth=32)', measured: bySgd('resnet32'), accuracies: { CIFAR10: 92.49 } },
  {
    title: 'DenseNet (depth=100)',
    measured: bySgd('densenet100'),
    accuracies: { CIFAR10: 94.23, CIFAR100: 76.21, SVHN: 98.33 },
  },
  {
    title: 'Network in Network',
    measured: bySgd('nin'),
    accuracies: { CIFAR10: 91.19, CIFAR100: 64.32, SVHN: 97.65 },
  },
  {
    title: 'FractalNet',
    measured: bySgd('fractalnet'),
    accuracies: { CIFAR10: 94.78, CIFAR100: 77.7, SVHN: 97.99 },
  },
  { title: 'VIN-Net', measured: null, accuracies: { CIFAR10: 90.93, 'Aliyun-10500': 92.57 } },
  { title: 'ESGD', measured: { by: 'esgd' }, accuracies: { CIFAR10: 92.48 } },
  {
    title: 'ResNet18+NE-SGD',
    measured: { model: 'resnet18', by: 'neSgd' },
    accuracies: { CIFAR10: 94.82, CIFAR100: 77.75, SVHN: 98.23, 'Aliyun-10500': 98.09 },
  },
];

/** Minimum, lower quartile, median, upper quartile, maximum. */
export type FiveNumbers = readonly [number, number, number, number, number];
export const FIVE_NUMBERS = ['minimum', 'lower quartile', 'median', 'upper quartile', 'maximum'] as const;

export const TABLE_IV: Readonly<Record<'CIFAR10' | 'CIFAR100', Readonly<Record<PaperModel, FiveNumbers>>>> = {
  CIFAR10: {
    resnet18: [93.4, 93.9, 94.2, 94.5, 94.8],
    resnet34: [93.8, 94.4, 94.6, 94.8, 95],
    densenet121: [94.9, 95.1, 95.3, 95.4, 95.6],
    dpn92: [94.6, 95, 95.1, 95.3, 95.5],
  },
  CIFAR100: {
    resnet18: [75.6, 76.4, 76.7, 76.9, 77.6],
    resnet34: [75.8, 76.6, 77.1, 77.2, 78.3],
    densenet121: [76.9, 77.7, 78.1, 78.4, 78.9],
    dpn92: [77.3, 78.2, 78.3, 78.6, 79.7],
  },
};

interface TableFiveRow {
  readonly title: string;
  readonly dataset: PaperDataset;
  readonly cutout: boolean;
  readonly withSuppression: number;
  readonly without: number;
}

/** Both of ResNet18. */
export const TABLE_V: readonly TableFiveRow[] = [
  { title: 'Cifar10+cutout', dataset: 'CIFAR10', cutout: true, withSuppression: 95.6, without: 95.5 },
  { title: 'Aliyun-10500', dataset: 'Aliyun-10500', cutout: false, withSuppression: 98.09, without: 97.9 },
];

/** SGD a hundred times, on CIFAR10. */
export const TABLE_VI: readonly {
  readonly model: PaperModel;
  readonly numbers: FiveNumbers;
  readonly standardDeviation: number;
}[] = [
  { model: 'resnet18', numbers: [93.13, 93.36, 93.42, 93.51, 93.85], standardDeviation: 0.15 },
  { model: 'resnet34', numbers: [93.52, 93.84, 93.95, 94.05, 94.46], standardDeviation: 0.17 },
];
