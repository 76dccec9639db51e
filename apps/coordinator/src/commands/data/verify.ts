import { stat } from 'node:fs/promises';
import {
  checkOriginal,
  knownDataset,
  listPacked,
  originalPath,
  packedPath,
  verifyPackedFile,
} from '@nesgd/core/datasets';
import { InputError, NesgdError } from '@nesgd/core/errors';
import { green, type Line, red } from '../../display/line.js';
import { type DataSurroundings, printResult } from './surroundings.js';
import { hashMeant, knownName } from './which.js';

interface VerifiedFile {
  readonly kind: 'original' | 'packed';
  readonly path: string;
  /** Undefined: it is what it should be. */
  readonly fault?: string;
}

/**
 * `nesgd data verify NAME`: reads a data set's files, fetched and packed, and says which are damaged. Nothing is changed.
 * @returns whether all is sound.
 * @throws InputError where there is nothing to verify.
 */
export async function verifyData(what: string, around: DataSurroundings): Promise<boolean> {
  const hash = await hashMeant(what, around);
  const files = hash === undefined ? await verifyNamed(what, around) : [await verifyPacked(hash, around)];
  if (files.length === 0) {
    throw new InputError('DATASET_MISSING', `${what}: neither fetched nor packed, so there is nothing to verify`);
  }
  const sound = files.every(({ fault }) => fault === undefined);
  printResult(around, { name: what, sound, files }, () =>
    files.map(
      ({ kind, path, fault }): Line => [
        fault === undefined ? green('sound  ') : red('damaged'),
        ` ${kind} ${path}${fault === undefined ? '' : `: ${fault}`}`,
      ],
    ),
  );
  return sound;
}

async function verifyNamed(name: string, around: DataSurroundings): Promise<VerifiedFile[]> {
  const folder = around.cache.datasets;
  const { published } = (name === 'custom' ? undefined : knownDataset(knownName(name))) ?? {};
  const files: VerifiedFile[] = [];
  for (const file of published?.files ?? []) {
    const path = originalPath(folder, published!, file);
    if (!(await stat(path).catch(() => undefined))) continue;
    around.watch({ type: 'preparing', what: `reading ${path}` });
    const fault = await checkOriginal(path, file);
    files.push({ kind: 'original', path, ...(fault !== undefined && { fault }) });
  }
  for (const { hash, header } of await listPacked(folder)) {
    if (header.name === name) files.push(await verifyPacked(hash, around));
  }
  return files;
}

async function verifyPacked(hash: string, { cache, watch }: DataSurroundings): Promise<VerifiedFile> {
  const path = packedPath(cache.datasets, hash);
  watch({ type: 'preparing', what: `reading ${path}` });
  try {
    await verifyPackedFile(cache.datasets, hash);
    return { kind: 'packed', path };
  } catch (error) {
    if (!(error instanceof NesgdError)) throw error;
    return { kind: 'packed', path, fault: error.message };
  }
}
