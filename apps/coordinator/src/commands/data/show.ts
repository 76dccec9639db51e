import { writeFile } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import { contactSheet, openDataset, readPackedHeader } from '@nesgd/core/datasets';
import { InputError } from '@nesgd/core/errors';
import { type DataSurroundings, printResult } from './surroundings.js';
import { type PackOptions, packedMeant } from './which.js';

export interface ShowOptions extends PackOptions {
  readonly out?: string;
  readonly part: 'train' | 'test';
  readonly perClass: number;
}

/** `nesgd data show NAME`: writes a contact sheet, a row a class. */
export async function showData(what: string, options: ShowOptions, around: DataSurroundings): Promise<void> {
  const { out, part, perClass, ...packing } = options;
  const folder = around.cache.datasets;
  const hash = await packedMeant(what, packing, around);
  const dataset = await openDataset(hash, folder);
  const path = resolve(out ?? `${basename(resolve(what)).replace(/\.(tar|tgz|tar\.gz)$/, '')}.png`);
  try {
    const png = await contactSheet(dataset, part, perClass);
    await writeFile(path, png).catch((cause: NodeJS.ErrnoException) => {
      throw new InputError('OUT_FILE', `--out ${path}: cannot be written: ${cause.message}`, false, { cause });
    });
  } finally {
    dataset.close();
  }
  const { classNames, classCounts } = await readPackedHeader(folder, hash);
  const classes = classNames.map((name, label) => ({ name, images: classCounts[part][label]! }));
  printResult(around, { name: dataset.name, hash, part, perClass, out: path, classes }, () => [
    [
      `${path}: ${Math.min(perClass, Math.max(...classCounts[part]))} ${part} images of each of ${classes.length} classes`,
    ],
  ]);
}
