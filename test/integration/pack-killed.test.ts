import { watch } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Cli, Workplace } from '../support/cli.js';

/** Packing is safe: whoever is killed leaves no half of a data set, and several at once leave one. */
interface Packed {
  readonly hash: string;
  readonly alreadyPacked: boolean;
}

let workplace: Workplace;
let datasets: string;
beforeAll(async () => {
  workplace = await Workplace.create();
  datasets = join(workplace.folder, 'cache/datasets');
  await mkdir(datasets);
});
afterAll(() => workplace.destroy());

/** A folder of CIFAR-10 binary files, 92 MB: long enough to write that a signal meets the writing. */
async function source(name: string, byte: number): Promise<string> {
  const batch = Buffer.alloc(10_000 * 3073, byte);
  for (let n = 0; n < 10_000; n++) batch[n * 3073] = n % 10;
  await mkdir(join(workplace.folder, name));
  for (const file of ['data_batch_1.bin', 'data_batch_2.bin', 'test_batch.bin'])
    await writeFile(join(workplace.folder, name, file), batch);
  return name;
}

const pack = (name: string) => workplace.start(['data', 'pack', name, '--json']);
const temporary = async () => (await readdir(datasets)).filter((name) => name.endsWith('.tmp'));
const packed = async () => (await readdir(datasets)).filter((name) => /^[0-9a-f]{64}$/.test(name));

/** Sends the signal as soon as the packed file is begun. */
async function signalWhileWriting(start: () => Cli, signal: NodeJS.Signals) {
  const watcher = watch(datasets);
  const begun = new Promise<void>((resolve) => {
    watcher.on('change', (_, name) => {
      if (String(name).endsWith('.tmp')) resolve();
    });
  });
  const cli = start();
  await begun;
  cli.child.kill(signal);
  watcher.close();
  return cli.exited;
}

it('killed while it writes, it leaves nothing that is taken for a data set, and the next one packs', async () => {
  const name = await source('killed', 1);
  expect(await signalWhileWriting(() => pack(name), 'SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' });
  expect(await packed()).toEqual([]);
  expect((await temporary()).length).toBe(1);
  expect(await workplace.start(['data', 'list', '--json']).summary()).toMatchObject({ packed: [] });

  const { hash, alreadyPacked } = await pack(name).summary<Packed>();
  expect(alreadyPacked).toBe(false);
  expect(await workplace.start(['data', 'verify', hash, '--json']).summary()).toMatchObject({ sound: true });
});

it('told to stop while it writes, it exits with 130 and takes away what it began', async () => {
  const [name, before] = [await source('stopped', 2), await temporary()];
  const known = await packed();
  expect(await signalWhileWriting(() => pack(name), 'SIGTERM')).toEqual({ code: 130, signal: null });
  expect(await temporary()).toEqual(before);
  expect(await packed()).toEqual(known);
});

it('two processes that pack one source at once both succeed, with one packed file', async () => {
  const [name, known] = [await source('twice', 3), await packed()];
  const [a, b] = await Promise.all([pack(name).summary<Packed>(), pack(name).summary<Packed>()]);
  expect(a.hash).toBe(b.hash);
  expect((await packed()).filter((hash) => !known.includes(hash))).toEqual([a.hash]);
  expect(await workplace.start(['data', 'verify', a.hash, '--json']).summary()).toMatchObject({ sound: true });
});
