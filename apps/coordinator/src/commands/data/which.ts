import { stat } from 'node:fs/promises';
import {
  type DatasetSpec,
  datasetSchema,
  KNOWN_NAMES,
  type KnownDatasetName,
  knownDataset,
  listPacked,
  prepareDataset,
} from '@nesgd/core/datasets';
import { InputError } from '@nesgd/core/errors';
import type { DataSurroundings } from './surroundings.js';

/** How files of one's own become a data set. */
export interface PackOptions {
  readonly name?: string;
  readonly imageSize?: number;
  readonly testFraction?: number;
}

/** @throws InputError for a name that is not known, with those that are. */
export function knownName(name: string): KnownDatasetName {
  if (knownDataset(name)) return name as KnownDatasetName;
  const byHand = FABRIC.test(name)
    ? "; the paper's fabric images were not published: bring them as a folder for each class and give it as --data FOLDER (docs/datasets.md)"
    : '';
  throw new InputError('DATASET_NAME', `there is no data set ${name}: known are ${KNOWN_NAMES.join(', ')}${byHand}`);
}

/** Names for the paper's fourth data set. */
const FABRIC = /aliyun|tianchi|fabric/i;

/** Packs what `spec` says unless that was done before. @returns its hash, and whether it was read just now. */
export async function pack(
  spec: Partial<DatasetSpec>,
  { cache, watch, signal }: DataSurroundings,
): Promise<{ hash: string; read: boolean }> {
  let read = false;
  const { hash } = await prepareDataset(datasetSchema.parse({ validationFraction: 0, ...spec }), cache.datasets, {
    onProgress: ({ done, total }) => {
      read = true;
      watch({ type: 'preparing', what: `reading ${spec.path ?? spec.name}`, ...(total && { fraction: done / total }) });
    },
    signal,
  });
  return { hash, read };
}

/** Twelve digits tell any two data sets apart, and are what `nesgd data list` shows. */
const HASH = /^[0-9a-f]{12,64}$/;

/**
 * The packed data set that a user means: a path, a known name, or the hash of a packed one. What is not packed yet is.
 * @throws InputError where it is none of them.
 */
export async function packedMeant(what: string, options: PackOptions, around: DataSurroundings): Promise<string> {
  const { name = 'custom', ...rest } = options;
  if (knownDataset(what)) return (await pack({ ...rest, name: knownName(what) }, around)).hash;
  const hash = await hashMeant(what, around);
  if (hash !== undefined) return hash;
  if (await stat(what).catch(() => undefined)) {
    return (await pack({ ...rest, name: specName(name), path: what }, around)).hash;
  }
  throw new InputError(
    'DATASET_NAME',
    `${what}: is no file or folder, no data set that is known (${KNOWN_NAMES.join(', ')}) and no hash that "nesgd data list" shows`,
  );
}

/** @returns undefined where no packed data set has a hash that begins so. */
export async function hashMeant(what: string, { cache }: DataSurroundings): Promise<string | undefined> {
  if (!HASH.test(what)) return undefined;
  return (await listPacked(cache.datasets)).find(({ hash }) => hash.startsWith(what))?.hash;
}

/** @throws InputError for a name that is neither known nor `custom`. */
export function specName(name: string): DatasetSpec['name'] {
  return name === 'custom' ? name : knownName(name);
}
