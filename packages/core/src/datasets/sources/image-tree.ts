import { InputError } from '../../errors.js';
import { makeLabels } from '../dataset.js';
import { decodeAll } from './decode-all.js';
import type { FileTree, Listing } from './file-tree.js';
import { IMAGE_FILE } from './image-file.js';
import type { RawDataset, RawImages, SourceFormat } from './raw-dataset.js';

const LAYOUT = 'train/<class>/<image> and test/<class>/<image>, images being .jpg, .png or .webp';

/**
 * A folder a class. Classes are the folder names sorted by code unit, as torchvision's ImageFolder sorts them ('10'
 * stands before '2'); images of a class stand in the order of their names, so a folder and a tar of it give the same.
 */
export const imageTreeFormat: SourceFormat = {
  layout: LAYOUT,
  recognises: ({ files, folders }) => [...files, ...folders].some((path) => /^(train|test)(\/|$)/.test(path)),
  async read(tree, listing, options) {
    const { classNames, train, test } = classify(tree, listing);
    const paths = [...train, ...test];
    const { imageShape, images } = await decodeAll(tree, paths, options);
    const labelOf = new Map(classNames.map((name, label) => [name, label]));
    const part = (from: number, to: number): RawImages => ({
      pieces: images.slice(from, to),
      labels: makeLabels(
        paths.slice(from, to).map((path) => labelOf.get(path.split('/')[1]!)!),
        classNames.length,
      ),
    });
    return {
      imageShape,
      classNames,
      train: part(0, train.length),
      test: part(train.length, paths.length),
    } satisfies RawDataset;
  },
};

interface Classified {
  readonly classNames: readonly string[];
  /** Sorted, so by class and then by name. */
  readonly train: readonly string[];
  readonly test: readonly string[];
}

/** Everything that names alone can get wrong. */
function classify(tree: FileTree, { files, folders }: Listing): Classified {
  const refuse: (fault: string) => never = (fault) => {
    throw new InputError('DATASET_FOLDER', `${tree.path}: ${fault}; wants ${LAYOUT}`);
  };
  const parts = { train: new Map<string, string[]>(), test: new Map<string, string[]>() };
  const classOf = (part: 'train' | 'test', name: string) => {
    const known = parts[part].get(name);
    if (known) return known;
    const made: string[] = [];
    parts[part].set(name, made);
    return made;
  };
  for (const path of folders) {
    const [part, name, inner] = path.split('/');
    if (part !== 'train' && part !== 'test') continue;
    if (inner !== undefined) refuse(`${path} is a folder inside a class folder`);
    if (name !== undefined) classOf(part, name);
  }
  for (const path of files) {
    const [part, name, file, ...deeper] = path.split('/');
    if (part !== 'train' && part !== 'test') continue; // A licence, a list of names.
    if (name === undefined || file === undefined) return refuse(`${path} stands outside the class folders`);
    if (deeper.length > 0) refuse(`${path} stands in a folder inside a class folder`);
    if (!IMAGE_FILE.test(file)) refuse(`${path} is not an image`);
    classOf(part, name).push(path);
  }
  const classNames = [...parts.train.keys()].sort();
  if (classNames.length === 0) refuse('there are no class folders in train/');
  if (parts.test.size === 0)
    refuse('there are no class folders in test/, and the final accuracy needs images that no training saw');
  for (const part of ['train', 'test'] as const) {
    for (const name of new Set([...classNames, ...parts.test.keys()])) {
      const images = parts[part].get(name);
      if (images === undefined) refuse(`class ${name} is missing in ${part}/`);
      if (images?.length === 0) refuse(`${part}/${name} has no images`);
    }
  }
  const inOrder = (part: 'train' | 'test') => classNames.flatMap((name) => parts[part].get(name)!.sort());
  return { classNames, train: inOrder('train'), test: inOrder('test') };
}
