import { cp, mkdir, readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RunSummary } from '../../apps/coordinator/src/run-events.js';
import { type Cli, Workplace, writeExperiment } from '../support/cli.js';
import { tinyExperiment } from '../support/tiny.js';

/** A checkout on which set-up could not do its work: the npm packages are there, and no TensorFlow and no broker. */
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
let workplace: Workplace;
let tiny: string;

beforeAll(async () => {
  workplace = await Workplace.create();
  tiny = await writeExperiment(
    join(workplace.folder, 'tiny.yaml'),
    tinyExperiment({
      dataset: { name: 'mnist', trainImages: 100, testImages: 50, validationFraction: 0.2 },
      alpha: { epochs: 1, learningRate: 0.1, batchSize: 16 },
      evolution: { populationSize: 2, generations: 0 },
    }),
  );
  await copyCheckout(join(workplace.folder, 'checkout'));
});
afterAll(() => workplace.destroy());

/** Our packages are copied, those of others linked, and TensorFlow.js for Node is without its binding. */
async function copyCheckout(to: string): Promise<void> {
  const modules = join(to, 'node_modules');
  await linkAll(join(ROOT, 'node_modules'), modules, ['@nesgd', '@tensorflow']);
  await linkAll(join(ROOT, 'node_modules/@tensorflow'), join(modules, '@tensorflow'), ['tfjs-node-gpu']);
  const binding = 'node_modules/@tensorflow/tfjs-node-gpu/package.json';
  await cp(join(ROOT, binding), join(to, binding));
  for (const [from, place] of [
    ['packages/core', 'node_modules/@nesgd/core'],
    ['apps/coordinator', 'apps/coordinator'],
  ] as const) {
    await cp(join(ROOT, from, 'package.json'), join(to, place, 'package.json'));
    await cp(join(ROOT, from, 'dist'), join(to, place, 'dist'), { recursive: true });
  }
}

async function linkAll(from: string, to: string, except: readonly string[]): Promise<void> {
  await mkdir(to, { recursive: true });
  const names = (await readdir(from)).filter((name) => !name.startsWith('.') && !except.includes(name));
  await Promise.all(names.map((name) => symlink(join(from, name), join(to, name))));
}

/** With an empty cache folder, and a PATH on which nothing is. */
function start(...args: string[]): Cli {
  const main = join(workplace.folder, 'checkout/apps/coordinator/dist/main.js');
  const { folder } = workplace;
  return workplace.start(['run', tiny, ...args], { NESGD_CACHE: join(folder, 'empty-cache'), PATH: folder }, main);
}

it('--engine tensorflow is refused with the reason and the remedy, before anything is written', async () => {
  const cli = start('--engine', 'tensorflow');
  expect(await cli.exited).toEqual({ code: 2, signal: null });
  expect(cli.stderr).toMatch(
    /engine tensorflow cannot be used here: TensorFlow \S+ is not in the cache folder: "npm run setup" gets it/,
  );
  expect((await readdir(workplace.folder)).sort()).toEqual(['cache', 'checkout', 'tiny.yaml']);
});

it('without TensorFlow and a broker a run goes on with wasm and the local evaluator, and says what is missing', async () => {
  const cli = start('--run-id', 'bare');
  expect(await cli.exited, cli.stderr).toEqual({ code: 0, signal: null });
  expect(cli.stderr).toMatch(/note: engine wasm: TensorFlow \S+ is not in the cache folder: "npm run setup" gets it/);
  expect(cli.stderr).toMatch(/note: no broker: .*running with the local evaluator/);
  const summary = await start('--run-id', 'again', '--json').summary<RunSummary>();
  expect(summary).toMatchObject({ engine: 'wasm', alpha: { epochs: 1 } });
});
