import { stat } from 'node:fs/promises';
import {
  isPresent,
  KNOWN_NAMES,
  type KnownDatasetName,
  knownDataset,
  listPacked,
  originalPath,
} from '@nesgd/core/datasets';
import { dim, type Line } from '../../display/line.js';
import { tableLines } from '../../display/table-lines.js';
import { type DataSurroundings, megabytes, printResult } from './surroundings.js';

interface ListedKnown {
  readonly name: KnownDatasetName;
  readonly classes: number;
  readonly imageShape: readonly number[];
  readonly train: number;
  readonly test: number;
  /** `package`: comes with the program. */
  readonly source: 'package' | 'fetched' | 'missing';
  /** Of its published files; 0 for a package. */
  readonly downloadBytes: number;
}

interface ListedPacked {
  readonly hash: string;
  readonly name: string;
  readonly classes: number;
  readonly imageShape: readonly number[];
  readonly train: number;
  readonly test: number;
  readonly bytes: number;
  readonly path: string;
}

/** `nesgd data list`: the data sets known by name, and what the cache folder holds. */
export async function listData(around: DataSurroundings): Promise<void> {
  const folder = around.cache.datasets;
  const known = await Promise.all(KNOWN_NAMES.map((name) => describeKnown(name, folder)));
  const packed = await describePacked(folder);
  printResult(around, { cache: folder, known, packed }, () => lines(known, packed, folder));
}

async function describeKnown(name: KnownDatasetName, folder: string): Promise<ListedKnown> {
  const { classNames, imageShape, trainCount, testCount, published } = knownDataset(name)!;
  const files = published?.files ?? [];
  const present = await Promise.all(files.map((file) => isPresent(originalPath(folder, published!, file), file)));
  return {
    name,
    classes: classNames.length,
    imageShape,
    train: trainCount,
    test: testCount,
    source: published ? (present.every(Boolean) ? 'fetched' : 'missing') : 'package',
    downloadBytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
  };
}

async function describePacked(folder: string): Promise<ListedPacked[]> {
  const sum = (counts: readonly number[]) => counts.reduce((a, b) => a + b, 0);
  const entries = await listPacked(folder);
  return Promise.all(
    entries.map(async ({ hash, path, header }) => ({
      hash,
      name: header.name,
      classes: header.classNames.length,
      imageShape: header.imageShape,
      train: sum(header.classCounts.train),
      test: sum(header.classCounts.test),
      bytes: (await stat(path)).size,
      path,
    })),
  );
}

function lines(known: readonly ListedKnown[], packed: readonly ListedPacked[], folder: string): Line[] {
  const facts = ({ classes, imageShape, train, test }: ListedKnown | ListedPacked) => [
    String(classes),
    imageShape.join('x'),
    String(train),
    String(test),
  ];
  const source = ({ source, downloadBytes }: ListedKnown) =>
    source === 'missing' ? `not fetched (${megabytes(downloadBytes)})` : source;
  return [
    ...tableLines(
      ['data set', 'classes', 'images', 'train', 'test', 'files'],
      known.map((set) => [set.name, ...facts(set), source(set)]),
      'left',
    ),
    [''],
    ...(packed.length === 0
      ? [[dim(`nothing is packed in ${folder} yet: a run or "nesgd data pack" does that`)]]
      : tableLines(
          ['packed', 'classes', 'images', 'train', 'test', 'size', 'hash'],
          packed.map((set) => [set.name, ...facts(set), megabytes(set.bytes), set.hash.slice(0, 12)]),
          'left',
        )),
  ];
}
