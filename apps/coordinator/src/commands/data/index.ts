import { type Command, InvalidArgumentError, Option } from 'commander';
import type { CoordinatorConfig } from '../../config.js';
import { conduct } from './conduct.js';
import { fetchData } from './fetch.js';
import { listData } from './list.js';
import { packData } from './pack.js';
import { type ShowOptions, showData } from './show.js';
import type { DataSurroundings } from './surroundings.js';
import { verifyData } from './verify.js';
import type { PackOptions } from './which.js';

/** `nesgd data ...` */
export function dataCommands(data: Command, config: CoordinatorConfig): void {
  data.description('data sets: list, fetch, verify, pack and show them (docs/datasets.md)').addHelpText(
    'after',
    `
Examples:
  nesgd data fetch cifar10
  nesgd data pack photos.tar --image-size 64 --test-fraction 0.2
  nesgd data show fashion-mnist --out fashion.png`,
  );
  const json = () => new Option('--json', 'print the result as one line of JSON on standard output').default(false);
  const act = (asJson: boolean, work: (around: DataSurroundings) => Promise<void>) => conduct(config, asJson, work);

  data
    .command('list')
    .description('the data sets known by name, whether their files are here, and what the cache folder holds packed')
    .addOption(json())
    .action((options: { json: boolean }) => act(options.json, listData));

  data
    .command('fetch')
    .description("bring a data set's files from their authors' address; broken off, it goes on where it was")
    .argument('<name>', 'one that "nesgd data list" shows')
    .option('--from <url>', 'a mirror: an address below which the files lie under their own names')
    .addOption(json())
    .action((name: string, { json: asJson, ...options }: { from?: string; json: boolean }) =>
      act(asJson, (around) => fetchData(name, options, around)),
    );

  data
    .command('verify')
    .description('read the files of a data set, fetched and packed, and say which are damaged (exit code 1)')
    .argument('<name>', 'a known name, custom, or the hash of a packed data set')
    .addOption(json())
    .action((name: string, options: { json: boolean }) =>
      act(options.json, async (around) => {
        if (!(await verifyData(name, around))) process.exitCode = 1;
      }),
    );

  const packing = (command: Command) =>
    command
      .option('--image-size <pixels>', 'scale image files to this side', wholeNumber(1, 1024))
      .option('--test-fraction <share>', '<class>/ folders alone: the share of each class that tests', share)
      .addOption(json());

  packing(
    data
      .command('pack')
      .description('read a folder, a tar or idx files into the cache, and print what they hold')
      .argument('<path>', 'a folder, a tar or a tar.gz')
      .option('--name <name>', 'the known data set that it must be, or custom', 'custom'),
  ).action((path: string, { json: asJson, ...options }: PackOptions & { json: boolean }) =>
    act(asJson, (around) => packData(path, options, around)),
  );

  packing(
    data
      .command('show')
      .description('write a contact sheet: a row a class, with labels')
      .argument('<name|path>', 'a known name, a path, or the hash of a packed data set')
      .option('--out <file>', 'the PNG to write (default: NAME.png)')
      .addOption(new Option('--part <part>', 'which images').choices(['train', 'test']).default('train'))
      .option('--per-class <n>', 'images of each class', wholeNumber(1, 100), 10),
  ).action((what: string, { json: asJson, ...options }: ShowOptions & { json: boolean }) =>
    act(asJson, (around) => showData(what, options, around)),
  );
}

function wholeNumber(least: number, most: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most)
      throw new InvalidArgumentError(`wants a whole number from ${least} to ${most}.`);
    return value;
  };
}

function share(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < 1)) throw new InvalidArgumentError('wants a number between 0 and 1.');
  return value;
}
