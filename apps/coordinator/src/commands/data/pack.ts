import { packedPath, readPackedHeader } from '@nesgd/core/datasets';
import type { Line } from '../../display/line.js';
import { tableLines } from '../../display/table-lines.js';
import { type DataSurroundings, printResult } from './surroundings.js';
import { type PackOptions, pack, specName } from './which.js';

/** `nesgd data pack PATH`: reads a folder, tar or idx files into the cache, and says what they hold. */
export async function packData(path: string, options: PackOptions, around: DataSurroundings): Promise<void> {
  const folder = around.cache.datasets;
  const started = performance.now();
  const { name = 'custom', ...rest } = options;
  const { hash, read } = await pack({ ...rest, name: specName(name), path }, around);
  const seconds = (performance.now() - started) / 1000;
  const { imageShape, classNames, classCounts, mean, std } = await readPackedHeader(folder, hash);
  const sum = (counts: readonly number[]) => counts.reduce((a, b) => a + b, 0);
  const [train, test] = [sum(classCounts.train), sum(classCounts.test)];
  const value = {
    name,
    hash,
    path: packedPath(folder, hash),
    imageShape,
    train,
    test,
    classes: classNames.map((className, label) => ({
      name: className,
      train: classCounts.train[label]!,
      test: classCounts.test[label]!,
    })),
    mean,
    std,
    /** Nothing was read: these files were packed before and have not changed. */
    alreadyPacked: !read,
    seconds: Number(seconds.toFixed(3)),
    imagesPerSecond: read ? Math.round((train + test) / seconds) : null,
  };
  printResult(around, value, (): Line[] => [
    [`${name} ${hash}${value.alreadyPacked ? ' (packed before)' : ''}`],
    [
      `${train} training and ${test} test images of ${imageShape.join('x')} in ${seconds.toFixed(1)} s${value.imagesPerSecond ? `, ${value.imagesPerSecond} images/s` : ''}`,
    ],
    [`mean ${constants(mean)}, standard deviation ${constants(std)} (white is 1)`],
    ...tableLines(
      ['class', 'train', 'test'],
      value.classes.map((row) => [row.name, String(row.train), String(row.test)]),
      'left',
    ),
  ]);
}

const constants = (values: readonly number[]) => values.map((value) => value.toFixed(4)).join(' ');
