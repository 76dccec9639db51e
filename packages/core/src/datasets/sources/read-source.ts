import { InputError } from '../../errors.js';
import { cifar10BinaryFormat, cifar100BinaryFormat } from './cifar-binary.js';
import { readClassFolders } from './class-folders.js';
import type { FileTree } from './file-tree.js';
import { idxFormat } from './idx.js';
import { imageTreeFormat } from './image-tree.js';
import type { RawDataset, ReadOptions, SourceFormat } from './raw-dataset.js';
import { svhnFormat } from './svhn.js';

const FORMATS: readonly SourceFormat[] = [
  idxFormat,
  cifar10BinaryFormat,
  cifar100BinaryFormat,
  svhnFormat,
  imageTreeFormat,
];

/** Reads a data set of whichever format its files are. @throws InputError. */
export async function readSource(tree: FileTree, options: ReadOptions): Promise<RawDataset> {
  const listing = await tree.list(options.signal);
  const format = FORMATS.find((candidate) => candidate.recognises(listing));
  if (options.testFraction !== undefined) {
    if (!format) return readClassFolders(tree, listing, { ...options, testFraction: options.testFraction });
    throw new InputError(
      'DATASET_SPEC',
      `dataset.testFraction: is for class folders without a test set, but ${tree.path} has one (${format.layout}); leave it out`,
    );
  }
  if (!format) {
    const layouts = FORMATS.map(({ layout }) => `  ${layout}`).join('\n');
    throw new InputError(
      'DATASET_FORMAT',
      `dataset.path ${tree.path}: holds no data set. A folder, tar or tar.gz must hold one of\n${layouts}\n  <class>/<image>, with dataset.testFraction`,
    );
  }
  return format.read(tree, listing, options);
}
