import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { InputError } from '@nesgd/core/errors';
import type { Card } from '@nesgd/core/machine';
import { type Device, MODEL_NAMES, type ModelSettings, type Runtime } from '@nesgd/core/protocol';
import { detectEngines, findCards } from '@nesgd/core/runtime';
import { refuseUnmarked } from './write-table.js';

export type ModelName = ModelSettings['name'];

/** The paper's networks, those it optimises and those it compares with. */
const PAPER_MODELS: readonly ModelName[] = [
  'resnet18',
  'resnet34',
  'densenet121',
  'dpn92',
  'resnet20',
  'resnet32',
  'densenet100',
  'nin',
  'fractalnet',
];
/** What is held to be faster by several workers than by one (docs/benchmarks.md). */
const POPULATION_MODELS: readonly ModelName[] = ['resnet20', 'resnet18'];
/** For their steps on 32 images PyTorch takes 4.6 and 2.8 GB already, and the two of a pair are there at once. */
const LARGE_MODELS: ReadonlySet<ModelName> = new Set<ModelName>(['densenet100', 'dpn92']);

/** Flags as commander leaves them. */
export interface BenchOptions {
  readonly models?: string;
  readonly engine: 'auto' | Runtime['engine'];
  readonly device: Device;
  readonly batch?: number;
  readonly threads?: number;
  readonly pairs: number;
  readonly steps?: number;
  readonly peer?: 'torch';
  /** `true` where the flag came without a list. */
  readonly compiled?: string | true;
  readonly python?: string;
  /** `true` where the flag came without a list; `false`: `--no-population`. */
  readonly population?: string | boolean;
  /** `true` where the flag came without a file. */
  readonly write?: string | true;
  readonly json: boolean;
}

/** What will be measured, all of it possible. */
export interface BenchPlan {
  readonly models: readonly ModelName[];
  readonly engine: Runtime['engine'];
  /** The card that trains; undefined: the processor. */
  readonly card: Card | undefined;
  readonly threads: number;
  readonly batchOf: (model: ModelName) => number;
  /** Rounds in which each contestant is measured once. */
  readonly pairs: number;
  /** Of a measurement; undefined: as many as fill it. */
  readonly steps: number | undefined;
  /** `compiled`: the networks that `torch.compile` trains too. */
  readonly torch: { readonly python: string; readonly compiled: readonly ModelName[] } | undefined;
  readonly population: readonly ModelName[];
  /** The file whose table is replaced. */
  readonly write: string | undefined;
}

/** @throws InputError for flags that do not go together, or name what is not there. */
export async function planBench(options: BenchOptions, cacheRoot: string): Promise<BenchPlan> {
  const engine = chooseEngine(options.engine, cacheRoot);
  if (engine === 'wasm' && (options.threads ?? 1) > 1) {
    throw refusal(`--threads ${options.threads}: engine wasm computes on one thread; leave the flag out`);
  }
  const card = options.device === 'gpu' ? await chooseCard(engine, cacheRoot) : undefined;
  const { peer, batch } = options;
  for (const [flag, given] of Object.entries({
    '--compiled': options.compiled !== undefined,
    '--python': options.python !== undefined,
    '--write': options.write !== undefined,
  })) {
    if (given && peer === undefined) throw refusal(`${flag} is about the comparison: give --peer torch with it`);
  }
  const models = options.models === undefined ? PAPER_MODELS : parseModels('--models', options.models);
  const compiled = listOf('--compiled', options.compiled, models);
  const unmeasured = compiled.find((model) => !models.includes(model));
  if (unmeasured) throw refusal(`--compiled: ${unmeasured} is not measured; --models wants it too`);
  const threads = options.threads ?? (engine === 'wasm' ? 1 : availableParallelism());
  return {
    models,
    engine,
    card,
    threads,
    batchOf: (model) => batch ?? (LARGE_MODELS.has(model) ? 32 : 128),
    pairs: options.pairs,
    steps: options.steps,
    torch: peer && { python: await findTorch(options.python, cacheRoot), compiled },
    population: populationOf(options, { models, threads, card }),
    write: fileToWrite(options.write, engine),
  };
}

/** Of a flag whose list may be left out: `byDefault` then, none where the flag did not come. */
function listOf(
  flag: string,
  given: string | boolean | undefined,
  byDefault: readonly ModelName[],
): readonly ModelName[] {
  if (given === undefined || given === false) return [];
  return given === true ? byDefault : parseModels(flag, given);
}

/** Beside a peer also where the flag did not come: of those that are measured. */
function populationOf(
  { population, peer }: BenchOptions,
  { models, threads, card }: Pick<BenchPlan, 'models' | 'threads' | 'card'>,
): readonly ModelName[] {
  if (card && population) {
    throw refusal('--population divides the threads of the processor: leave it out with --device gpu');
  }
  if (population !== undefined) return listOf('--population', population, POPULATION_MODELS);
  const divides = peer !== undefined && !card && threads > 1;
  return divides ? POPULATION_MODELS.filter((model) => models.includes(model)) : [];
}

function parseModels(flag: string, list: string): ModelName[] {
  return list.split(',').map((text) => {
    const name = MODEL_NAMES.find((known) => known === text.trim());
    if (!name) throw refusal(`${flag}: there is no network "${text.trim()}"; wants some of ${MODEL_NAMES.join(', ')}`);
    return name;
  });
}

function chooseEngine(flag: BenchOptions['engine'], cacheRoot: string): Runtime['engine'] {
  const engines = detectEngines(cacheRoot);
  const engine = flag === 'auto' ? (engines.tensorflow.usable ? 'tensorflow' : 'wasm') : flag;
  const found = engines[engine];
  if (!found.usable) throw refusal(`engine ${engine} cannot be used here: ${found.reason}`);
  return engine;
}

/** The first that may be used: `CUDA_VISIBLE_DEVICES` names another. */
async function chooseCard(engine: Runtime['engine'], cacheRoot: string): Promise<Card | undefined> {
  if (engine === 'wasm') throw refusal('--device gpu: engine wasm computes on the processor');
  const found = await findCards(cacheRoot, process.env);
  if (!found.usable) throw refusal(`--device gpu: there is no card to compute on: ${found.reason}`);
  return found.cards[0];
}

async function findTorch(flag: string | undefined, cacheRoot: string): Promise<string> {
  const python = flag ?? join(cacheRoot, 'bench-peers/bin/python');
  const advice = 'run "sh bench/peers/setup.sh", or give --python a Python that has PyTorch';
  if (flag === undefined && !existsSync(python)) throw refusal(`--peer torch: there is no ${python}: ${advice}`);
  try {
    await promisify(execFile)(python, ['-c', 'import torch']);
  } catch (error) {
    const { message, stderr } = error as { message: string; stderr?: string };
    const reason = stderr?.trim().split('\n').at(-1) || message;
    throw refusal(`--peer torch: ${python} has no PyTorch that loads (${reason}): ${advice}`);
  }
  return python;
}

/** The documentation's, where the flag names none. */
function fileToWrite(flag: BenchOptions['write'], engine: string): string | undefined {
  if (flag === undefined) return undefined;
  const file = flag === true ? fileURLToPath(new URL('../../../../docs/benchmarks.md', import.meta.url)) : flag;
  try {
    refuseUnmarked(readFileSync(file, 'utf8'), engine, file);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw refusal(`--write: cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
  return file;
}

const refusal = (message: string) => new InputError('BENCH_FLAG', message);
