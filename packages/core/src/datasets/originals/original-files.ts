import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../../errors.js';
import { knownDataset, type PublishedFile, type PublishedFiles } from '../known-datasets.js';
import { mnistPackageFolder } from '../sources/mnist-package.js';
import type { DatasetSpec } from '../spec.js';

/** Where a published file lies once it was fetched, or put there by hand: `<datasets>/originals/<folder>/<file>`. */
export function originalPath(datasetsFolder: string, { folder }: PublishedFiles, { name }: PublishedFile): string {
  return join(datasetsFolder, 'originals', folder, name);
}

/** @returns whether it is there in its full length; what it holds is not looked at. */
export async function isPresent(path: string, { bytes }: PublishedFile): Promise<boolean> {
  return stat(path).then(
    (about) => about.isFile() && about.size === bytes,
    () => false,
  );
}

/**
 * Where a data set's files are: what the experiment says, else what comes as a package, else what was fetched.
 * @throws InputError `DATASET_PATH` where it was not fetched, saying how it is.
 */
export async function sourcePath(
  { name, path }: Pick<DatasetSpec, 'name' | 'path'>,
  datasetsFolder: string,
): Promise<string> {
  if (path !== undefined) return path;
  if (name === 'mnist') return mnistPackageFolder();
  const { published, obtain } = knownDataset(name) ?? {};
  if (!published) throw new InputError('DATASET_PATH', `dataset.path: is missing: give --data PATH`);
  for (const file of published.files) {
    const place = originalPath(datasetsFolder, published, file);
    if (await isPresent(place, file)) continue;
    throw new InputError(
      'DATASET_PATH',
      `dataset.path: is missing, and ${name} was not fetched: "nesgd data fetch ${name}" does that, or give --data PATH. ${obtain}`,
    );
  }
  const [first] = published.files;
  const archive = published.files.length === 1 && first?.name.endsWith('.tar.gz') ? first : undefined;
  return join(datasetsFolder, 'originals', published.folder, archive?.name ?? '');
}
