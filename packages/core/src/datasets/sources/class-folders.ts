import { InputError } from '../../errors.js';
import { rngAt } from '../../evolution/rng.js';
import { makeLabels } from '../dataset.js';
import { apportion } from '../partition-sizes.js';
import { decodeAll } from './decode-all.js';
import type { FileTree, Listing } from './file-tree.js';
import { IMAGE_FILE } from './image-file.js';
import type { RawDataset, ReadOptions } from './raw-dataset.js';

/** What competitions put beside their images. */
const ANNOTATION = /\.(xml|json|txt|csv|md)$/i;

/**
 * Images in class folders that nobody has split yet: a class is what the folder around an image is called, at whatever depth
 * (`part1/hole/1.jpg` and `part2/hole/7.jpg` are of one class). `testFraction` of each class becomes the test set, drawn from
 * the names alone, so every run and every machine draws the same.
 * @throws InputError naming the path and what would be right.
 */
export async function readClassFolders(
  tree: FileTree,
  listing: Listing,
  options: ReadOptions & { testFraction: number },
): Promise<RawDataset> {
  const classes = classify(tree, listing);
  const classNames = [...classes.keys()].sort();
  const split = splitClasses(
    classNames.map((name) => classes.get(name)!),
    options.testFraction,
  );
  for (const part of ['train', 'test'] as const) {
    const empty = split[part].findIndex((paths) => paths.length === 0);
    if (empty < 0) continue;
    throw new InputError(
      'DATASET_FOLDER',
      `${tree.path}: of the ${classes.get(classNames[empty]!)!.length} images of class ${classNames[empty]} none would be in the ${part} set; change dataset.testFraction (${options.testFraction})`,
    );
  }
  const paths = [...split.train.flat(), ...split.test.flat()];
  const { imageShape, images } = await decodeAll(tree, paths, options);
  const labels = (part: readonly string[][]) =>
    makeLabels(
      part.flatMap((inClass, label) => inClass.map(() => label)),
      classNames.length,
    );
  const trained = split.train.flat().length;
  return {
    imageShape,
    classNames,
    train: { pieces: images.slice(0, trained), labels: labels(split.train) },
    test: { pieces: images.slice(trained), labels: labels(split.test) },
  };
}

/** @returns paths by class, sorted. */
function classify(tree: FileTree, { files }: Listing): Map<string, string[]> {
  const refuse = (fault: string) =>
    new InputError('DATASET_FOLDER', `${tree.path}: ${fault}; wants <class>/<image>, images being .jpg, .png or .webp`);
  const classes = new Map<string, string[]>();
  for (const path of [...files].sort()) {
    if (ANNOTATION.test(path)) continue;
    const [name] = path.split('/').slice(-2, -1);
    if (!IMAGE_FILE.test(path)) throw refuse(`${path} is not an image`);
    if (name === undefined) throw refuse(`${path} stands outside the class folders`);
    const known = classes.get(name);
    if (known) known.push(path);
    else classes.set(name, [path]);
  }
  if (classes.size === 0) throw refuse('there are no images in folders');
  return classes;
}

/** Every class gives its share, and the totals are exact. @returns by label, sorted. */
function splitClasses(classes: readonly string[][], testFraction: number): { train: string[][]; test: string[][] } {
  const counts = classes.map((paths) => paths.length);
  const total = counts.reduce((sum, n) => sum + n, 0);
  const testing = apportion(counts, Math.round(total * testFraction));
  const shuffled = classes.map((paths, label) => {
    const order = rngAt(0, 'test split', label).shuffle(Int32Array.from(paths.keys()));
    return Array.from(order, (i) => paths[i]!);
  });
  return {
    train: shuffled.map((paths, label) => paths.slice(testing[label]).sort()),
    test: shuffled.map((paths, label) => paths.slice(0, testing[label]).sort()),
  };
}
