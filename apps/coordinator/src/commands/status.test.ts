import { appendFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InputError } from '@nesgd/core/errors';
import { type Individual, type Mask, maskFromString, maskToString, neSgd } from '@nesgd/core/evolution';
import {
  createRun,
  type Experiment,
  type Fact,
  JOURNAL_VERSION,
  type Meta,
  parseExperiment,
  type RunFolder,
} from '@nesgd/core/run';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { typed } from '../invocation.js';
import { status } from './status.js';

let runsFolder: string;
beforeEach(async () => {
  runsFolder = await mkdtemp(join(tmpdir(), 'nesgd-status-'));
});
afterEach(() => rm(runsFolder, { recursive: true }));

const BLOCKS = ['stem', 'stage1', 'stage2', 'stage3', 'head'].map((name, i) => ({ name, parameters: 10 ** (i + 1) }));
const SHA = 'a'.repeat(64);

const experiment = parseExperiment(
  {
    name: 'example',
    seed: 1,
    dataset: { name: 'mnist', trainImages: 600, validationFraction: 0.1 },
    model: { name: 'resnet8' },
    alpha: { epochs: 1, learningRate: 0.1 },
    retrain: { epochs: 1, learningRateRetained: 0.01, learningRateReinitialised: 0.1 },
    evolution: { populationSize: 4, generations: 2 },
  },
  'the test',
);

const { method } = experiment;
const PBT = { method: { ...method, name: 'pbt' as const, pbt: { ...method.pbt, steps: 4 } } };

async function open(runId: string, changes: Partial<Experiment> = {}): Promise<RunFolder> {
  return createRun(runsFolder, {
    type: 'opened',
    version: JOURNAL_VERSION,
    runId,
    experiment: { ...experiment, ...changes },
    runtime: { engine: 'wasm', threads: 1 },
    data: {
      dataset: SHA,
      trainImages: 600,
      testImages: null,
      validationFraction: 0.1,
      augmentation: { padCrop: 0, horizontalFlip: false },
    },
    imageShape: [28, 28, 1],
    classNames: ['0', '1'],
    blocks: BLOCKS,
  });
}

const worker = (name: string, seconds: number): Omit<Meta, 'at'> => ({
  provenance: { worker: name, engine: 'wasm', seconds },
});

const ALPHA: Fact = {
  type: 'alpha',
  accuracy: 0.5,
  curve: [{ epoch: 1, trainLoss: 1, accuracy: 0.5 }],
  weights: SHA,
  imagesTrained: 540,
};

/** A toy fitness: the share of kept blocks. */
function individual(mask: string): Individual {
  return { mask: maskFromString(mask), fitness: mask.replaceAll('0', '').length / mask.length };
}

function evaluated(mask: string): Fact {
  return {
    type: 'evaluated',
    mask,
    repeat: 0,
    accuracy: individual(mask).fitness,
    curve: [],
    weights: null,
    imagesTrained: 540,
  };
}

function generation(t: number, survivors: string[], born: string[], suppressed: number[] = []): Fact {
  const [parents, offspring] = [survivors.map(individual), born.map(individual)];
  const nabla = (parents[0]?.fitness ?? 0) - (parents.at(-1)?.fitness ?? 0);
  const best = parents[0] as Individual;
  return { type: 'generation', t, parents, best, nabla, suppressed, offspring, lineage: [], pool: [], clusters: [] };
}

/** A search by the algorithm itself, journalled as a coordinator does it. @returns the best. */
async function search(run: RunFolder, generations: number): Promise<Individual> {
  await run.journal.append(ALPHA, worker('w-1', 3));
  const known = new Set<string>();
  const evaluate = async (masks: readonly Mask[]) => {
    for (const mask of masks.map(maskToString)) {
      if (!known.has(mask)) await run.journal.append(evaluated(mask), worker('w-2', 1.5));
      known.add(mask);
    }
    return masks.map((mask) => individual(maskToString(mask)));
  };
  let best = individual('0');
  for await (const closed of neSgd({ ...experiment.evolution, seed: 1, genomeLength: 5 }, evaluate)) {
    if (closed.t > generations) break;
    await run.journal.append({ type: 'generation', ...closed });
    best = closed.best;
  }
  return best;
}

async function finish(run: RunFolder, { mask, fitness }: Individual): Promise<void> {
  const best = { mask: maskToString(mask), accuracy: fitness, testAccuracy: 0.75, weights: SHA };
  await run.journal.append({ type: 'tested', which: 'alpha', weights: SHA, accuracy: 0.48 }, worker('w-1', 1));
  await run.journal.append({ type: 'tested', which: 'best', weights: SHA, accuracy: 0.75 }, worker('w-1', 1));
  await run.journal.append({
    type: 'finished',
    best,
    alpha: { accuracy: 0.5, testAccuracy: 0.48 },
    generations: 2,
    evaluations: 12,
    cacheHits: 3,
    epochsTrained: 10,
    imagesTrained: 5400,
  });
}

const settings = [
  'dataset     name mnist, trainImages 600, validationFraction 0.1',
  '            augmentation {padCrop:0,horizontalFlip:false}',
  'model       name resnet8, granularity block',
  'alpha       epochs 1, schedule cosine, milestones [0.5,0.75], gamma 0.1, batchSize 128, momentum 0.9',
  '            weightDecay 0.0005, weights last, learningRate 0.1',
  'retrain     epochs 1, schedule cosine, milestones [0.5,0.75], gamma 0.1, batchSize 128, momentum 0.9',
  '            weightDecay 0.0005, weights last, learningRateRetained 0.01',
  '            learningRateReinitialised 0.1',
  'evolution   populationSize 4, generations 2, crossoverProbability 0.9, mutationProbability 0.1',
  '            crossover uniform, linkage average, suppression true, reevaluateSurvivors false',
  '            initialRetainProbability 0.5, inherit none, stopBelowMedian []',
  'fitness     validation',
  'runtime     threads 1, precision float32',
  'method      name ne-sgd',
];

async function show(runId?: string, json = false): Promise<string> {
  let text = '';
  const stdout = {
    write: (part: string) => {
      text += part;
    },
  };
  expect(await status({ runsFolder, json, stdout, ...(runId !== undefined && { runId }) })).toBe(0);
  return text;
}

test('status: a finished run in detail, with its generations and the mask against the names of its blocks', async () => {
  const run = await open('example-1');
  await run.journal.append(ALPHA, worker('w-1', 3));
  for (const mask of ['11110', '11000', '10000', '00000', '01111']) {
    if (mask === '01111') await run.journal.append(generation(0, ['11110', '11000', '10000', '00000'], []));
    await run.journal.append(evaluated(mask), worker(mask < '1' ? 'w-10' : 'w-2', 1.5));
  }
  await run.journal.append(
    generation(1, ['11110', '01111', '11000', '10000'], ['01111', '11000', '10000', '10000'], [7]),
  );
  await finish(run, individual('11110'));
  await run.close();
  const text = await show('example-1');
  const steady = text.replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/g, 'TIME').replaceAll(runsFolder, 'RUNS');
  expect(steady.trimEnd().split('\n')).toEqual([
    'example-1  finished',
    'folder      RUNS/example-1',
    'started     TIME   last fact TIME',
    'engine      wasm, 1 thread a worker',
    '',
    'name        example',
    'seed        1',
    ...settings,
    '',
    'accuracy  validation      test',
    'alpha         0.5000    0.4800  1 epoch',
    'best          0.8000    0.7500  +0.2700 on the test set',
    '',
    'generation    best  median   nabla  suppressed  retrained  known already',
    '         0  0.8000  0.3000  0.8000           0          4              0',
    '         1  0.8000  0.6000  0.6000           1          1              3',
    '',
    'best mask 11110  4 blocks kept, 1 re-initialised',
    '  1  stem    kept                 10 parameters',
    '  1  stage1  kept                100 parameters',
    '  1  stage2  kept              1,000 parameters',
    '  1  stage3  kept             10,000 parameters',
    '  0  head    re-initialised  100,000 parameters',
    '',
    "generation 1 of 2 closed; 5 individuals retrained, 3,240 images trained on, alpha's included",
    '  w-1: 3 jobs, 5s',
    '  w-2: 3 jobs, 5s',
    '  w-10: 2 jobs, 3s',
  ]);
});

test('status: a method that trains whole networks is spoken of in its own words', async () => {
  const run = await open('rival', PBT);
  const curve = [{ epoch: 1, trainLoss: 1, accuracy: 0.5 }];
  for (const id of ['a', 'b'])
    await run.journal.append({ type: 'trained', round: 1, id, accuracy: 0.5, curve, weights: SHA, imagesTrained: 540 });
  const best = { id: 'a', accuracy: 0.5, weights: SHA };
  await run.journal.append({ type: 'step', t: 1, population: [best], best });
  await run.close();
  expect(await show('rival')).toContain('step 1 of 4 closed; 2 networks measured, 1,080 images trained on\n');
});

test('status: per generation, the individuals retrained and those known already make up all that were asked for', async () => {
  const run = await open('example-1');
  await search(run, 2);
  await run.close();
  const { generations, evaluated } = JSON.parse(await show('example-1', true));
  expect(generations).toHaveLength(3);
  for (const row of generations) expect(row.evaluated + row.cacheHits).toBe(4);
  expect(evaluated).toBe(generations.reduce((sum: number, row: { evaluated: number }) => sum + row.evaluated, 0));
});

test('status: --json of one run is one line with everything that the text says', async () => {
  const run = await open('example-1');
  const best = await search(run, 2);
  await finish(run, best);
  await run.close();
  const text = await show('example-1', true);
  expect(text.trim().split('\n')).toHaveLength(1);
  expect(JSON.parse(text)).toMatchObject({
    runId: 'example-1',
    folder: join(runsFolder, 'example-1'),
    state: 'finished',
    holder: null,
    experiment: { name: 'example', evolution: { populationSize: 4 } },
    blocks: BLOCKS,
    alpha: { accuracy: 0.5, testAccuracy: 0.48, epochs: 1, reused: false },
    best: { mask: maskToString(best.mask), accuracy: best.fitness, testAccuracy: 0.75 },
    workers: [{ name: 'w-1', jobs: 3, seconds: 5 }, { name: 'w-2' }],
  });
});

test('status: a run is running while a process holds it, and stopped when that has left it', async () => {
  const run = await open('example-1');
  const state = async () => JSON.parse(await show('example-1', true)).state;
  expect(await state()).toBe('running');
  expect(await show('example-1')).toContain(`running by process ${process.pid}`);
  await run.close();
  expect(await state()).toBe('stopped');
  expect(await show('example-1')).toContain(`resume example-1 --runs ${runsFolder}`);
});

test('status: a lock that a killed process left behind does not count', async () => {
  const run = await open('example-1');
  const lock = await readFile(join(run.path, 'lock'), 'utf8');
  await run.close();
  // The largest process id that Linux gives is 4194304.
  await writeFile(join(run.path, 'lock'), JSON.stringify({ ...JSON.parse(lock), pid: 4_194_305 }));
  expect(JSON.parse(await show('example-1', true)).state).toBe('stopped');
});

test('status: before the first generation is closed, the best is the best measured so far', async () => {
  const run = await open('example-1');
  expect(JSON.parse(await show('example-1', true))).toMatchObject({ alpha: null, best: null, generations: [] });
  expect(await show('example-1')).toContain('alpha is not trained yet');
  for (const [mask, accuracy] of [
    ['10000', 0.2],
    ['11000', 0.4],
    ['00000', 0],
  ] as const) {
    await run.journal.append({
      type: 'evaluated',
      mask,
      repeat: 0,
      accuracy,
      curve: [],
      weights: null,
      imagesTrained: 1,
    });
  }
  expect(JSON.parse(await show('example-1', true)).best).toEqual({ mask: '11000', accuracy: 0.4, testAccuracy: null });
  await run.close();
});

test('status: without an id the runs are listed, oldest first, with where they stand', async () => {
  const first = await open('zebra');
  const winner = await search(first, 2);
  await finish(first, winner);
  await first.close();
  const second = await open('ant');
  const leader = await search(second, 1);
  await second.close();
  await (await open('rival', PBT)).close();
  await mkdir(join(runsFolder, 'no-run'));
  const text = (await show()).replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/g, 'TIME');
  expect(
    text
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/ {2,}/)),
  ).toEqual([
    ['run', 'state', 'closed', 'alpha', 'best', 'test', 'started', 'last fact'],
    ['zebra', 'finished', 'generation 2/2', '0.5000', winner.fitness.toFixed(4), '0.7500', 'TIME', 'TIME'],
    ['ant', 'stopped', 'generation 1/2', '0.5000', leader.fitness.toFixed(4), '-', 'TIME', 'TIME'],
    ['rival', 'stopped', 'step -/4', '-', '-', '-', 'TIME', 'TIME'],
    [''],
    [expect.stringContaining(`a stopped run goes on by "${typed('nesgd resume')} RUN_ID --runs ${runsFolder}"`)],
  ]);
  expect(JSON.parse(await show(undefined, true))).toMatchObject([
    { runId: 'zebra', state: 'finished', generation: 2, generations: 2, bestTestAccuracy: 0.75 },
    { runId: 'ant', state: 'stopped', generation: 1, bestTestAccuracy: null },
    { runId: 'rival', state: 'stopped', round: 'step', generation: null, generations: 4 },
  ]);
});

test('status: a damaged journal is refused with its file and line, and does not hide the other runs', async () => {
  const good = await open('good');
  await good.close();
  const bad = await open('bad');
  await bad.close();
  await appendFile(join(bad.path, 'journal.jsonl'), '{"seq":1,"meta":\n');
  const refused = status({ runsFolder, runId: 'bad', json: false, stdout: { write: () => {} } });
  await expect(refused).rejects.toThrow(InputError);
  await expect(refused).rejects.toThrow(`${join(bad.path, 'journal.jsonl')}, line 2`);
  const list = await show();
  expect(list).toMatch(/^good +stopped/m);
  expect(list).toMatch(/^bad +damaged/m);
  expect(list).toContain('line 2');
});

test('status: an unknown run is refused, an empty folder is no error', async () => {
  await expect(status({ runsFolder, runId: 'nobody', json: false, stdout: { write: () => {} } })).rejects.toThrow(
    InputError,
  );
  expect(await show()).toContain('there are no runs in');
  expect(await show(undefined, true)).toBe('[]\n');
});
