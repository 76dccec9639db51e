import { InputError } from '../../errors.js';
import { cifarBinaryFormat } from './cifar-binary.js';
import type { FileTree } from './file-tree.js';
import { idxFormat } from './idx.js';
import { imageTreeFormat } from './image-tree.js';
import type { RawDataset, ReadOptions, SourceFormat } from './raw-dataset.js';

const FORMATS: readonly SourceFormat[] = [idxFormat, cifarBinaryFormat, imageTreeFormat];

/** Reads a data set of whichever format its files are. @throws InputError. */
export async function readSource(tree: FileTree, options: ReadOptions): Promise<RawDataset> {
  const listing = await tree.list(options.signal);
  const format = FORMATS.find((candidate) => candidate.recognises(listing));
  if (!format) {
    const layouts = FORMATS.map(({ layout }) => `  ${layout}`).join('\n');
    throw new InputError(
      'DATASET_FORMAT',
      `dataset.path ${tree.path}: holds no data set. A folder, tar or tar.gz must hold one of\n${layouts}`,
    );
  }
  return format.read(tree, listing, options);
}
