import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalFacts, type EvaluatedFact, type Fact, type GenerationFact, readJournal } from '@nesgd/core/run';
import { cacheFolder } from '@nesgd/core/storage';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LocalDispatcher } from '../../apps/coordinator/src/dispatch/local-dispatcher.js';
import { jobsOf } from '../../apps/coordinator/src/jobs.js';
import { type Cli, until, Workplace, writeExperiment } from '../support/cli.js';
import { tinyExperiment } from '../support/tiny.js';

interface Summary {
  readonly method: string;
  readonly alpha: { readonly testAccuracy: number } | null;
  readonly best: { readonly mask: string; readonly testAccuracy: number; readonly validationAccuracy: number };
  readonly imagesTrained: number;
}

/** Training images of an epoch of the tiny experiment. */
const EPOCH = 480;
const BUDGET = 6 * EPOCH + 100;
const METHODS = {
  'ne-sgd': {},
  'random-masks': {},
  sgd: {},
  'sgd-restarts': {},
  esgd: { esgd: { populationSize: 2, offspring: 2, elite: 1 } },
  pbt: { pbt: { populationSize: 2 } },
};

let place: Workplace;
let file: string;
/** The same for methods without masks, which need no more. */
let alone: string;

beforeAll(async () => {
  place = await Workplace.create();
  file = await writeExperiment(join(place.folder, 'tiny.yaml'), tinyExperiment());
  const without = tinyExperiment({ retrain: undefined, evolution: undefined });
  alone = await writeExperiment(join(place.folder, 'alone.yaml'), without);
});
afterAll(() => place.destroy());

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[Math.floor((sorted.length - 1) / 2)]! + sorted[Math.floor(sorted.length / 2)]!) / 2;
}
const factsOf = async (runId: string): Promise<Fact[]> =>
  canonicalFacts((await readJournal(join(place.runs, runId, 'journal.jsonl'))).lines);
const comparable = (facts: Fact[]) => facts.map((fact) => (fact.type === 'opened' ? { ...fact, runId: '' } : fact));

function start(method: keyof typeof METHODS, runId: string, ...more: string[]): Cli {
  const set = { method: { name: method, ...METHODS[method] }, budget: BUDGET };
  const flags = Object.entries(set).flatMap(([key, value]) => ['--set', `${key}=${JSON.stringify(value)}`]);
  const searches = method === 'ne-sgd' || method === 'random-masks' || method === 'sgd-restarts';
  return place.start([
    'run',
    searches ? file : alone,
    ...flags,
    '--run-id',
    runId,
    '--broker',
    'local',
    '--json',
    ...more,
  ]);
}

describe.each(Object.keys(METHODS) as (keyof typeof METHODS)[])('method %s, trained for real', (method) => {
  it('spends its budget to within an epoch and meets the test set once', async () => {
    const summary = await start(method, `${method}-one`, '--workers', '1').summary<Summary>();
    expect(summary.method).toBe(method);
    expect(summary.imagesTrained).toBe(6 * EPOCH);

    const facts = await factsOf(`${method}-one`);
    const fromAlpha = method === 'ne-sgd' || method === 'random-masks' || method === 'sgd-restarts';
    expect(facts.flatMap((fact) => (fact.type === 'tested' ? [fact.which] : []))).toEqual(
      fromAlpha ? ['alpha', 'best'] : ['best'],
    );
    expect(summary.alpha === null).toBe(!fromAlpha);
    const measured = facts.flatMap((fact) =>
      fact.type === 'evaluated' || fact.type === 'trained' ? [fact.accuracy] : [],
    );
    expect(summary.best.validationAccuracy).toBe(Math.max(...measured));
    expect(summary.best.testAccuracy).toBeGreaterThan(0.15); // Better than chance.
  });
});

it.each(['random-masks', 'esgd', 'pbt'] as const)(
  '%s: killed, resumed with more workers and without its cache of weights, it has the same facts',
  async (method) => {
    const runId = `${method}-killed`;
    const cli = start(method, runId, '--workers', '1');
    const kind = method === 'random-masks' ? 'evaluated' : 'trained';
    await until('three networks were measured', async () => {
      const { lines } = await readJournal(join(place.runs, runId, 'journal.jsonl'));
      return lines.filter(({ fact }) => fact.type === kind).length >= 3;
    });
    cli.child.kill('SIGKILL');
    await cli.exited;
    await rm(join(place.env.NESGD_CACHE ?? '', 'blobs'), { recursive: true, force: true });
    await place.start(['resume', runId, '--broker', 'local', '--workers', '2', '--json']).summary<Summary>();
    expect(comparable(await factsOf(runId))).toEqual(comparable(await factsOf(`${method}-one`)));
  },
);

/** Cuts the lines of a journal into what was measured for each closed generation, and its end. */
async function generationsOf(runId: string) {
  const { lines } = await readJournal(join(place.runs, runId, 'journal.jsonl'));
  const generations: { measured: EvaluatedFact[]; closed: GenerationFact }[] = [];
  let measured: EvaluatedFact[] = [];
  for (const { fact } of lines) {
    if (fact.type === 'evaluated') measured.push(fact);
    if (fact.type !== 'generation') continue;
    generations.push({ measured, closed: fact });
    measured = [];
  }
  return generations;
}

it('inherit best, firstEpochs: masks are applied to the best so far, for longer each time; killed and resumed too', async () => {
  const set = [
    'alpha.epochs=1',
    'alpha.batchSize=64',
    'retrain.epochs=3',
    'evolution.inherit=best',
    'evolution.firstEpochs=1',
  ];
  const flags = [...set, 'evolution.initialRetainProbability=0.8'].flatMap((assignment) => ['--set', assignment]);
  const args = (runId: string, workers: string) => [
    'run',
    file,
    ...flags,
    '--run-id',
    runId,
    '--broker',
    'local',
    '--workers',
    workers,
    '--json',
  ];
  await place.start(args('inherits', '1')).summary<Summary>();
  const cli = place.start(args('inherits-killed', '2'));
  await until('a generation was closed and one more individual measured', async () => {
    const { lines } = await readJournal(join(place.runs, 'inherits-killed', 'journal.jsonl'));
    const at = lines.findIndex(({ fact }) => fact.type === 'generation');
    return at >= 0 && lines.length > at + 1;
  });
  cli.child.kill('SIGKILL');
  await cli.exited;
  await place.start(['resume', 'inherits-killed', '--broker', 'local', '--json']).summary<Summary>();
  const facts = await factsOf('inherits');
  expect(comparable(await factsOf('inherits-killed'))).toEqual(comparable(facts));

  const alpha = facts.flatMap((fact) => (fact.type === 'alpha' ? [fact.accuracy] : []))[0]!;
  let base: string | undefined;
  const all: EvaluatedFact[] = [];
  for (const [t, { measured, closed }] of (await generationsOf('inherits')).entries()) {
    expect(measured.map(({ curve }) => curve.length)).toEqual(measured.map(() => 1 + t));
    expect(new Set(measured.map((fact) => fact.base)), `generation ${t}`).toEqual(new Set([base]));
    all.push(...measured);
    const leader = all.find(
      ({ mask, accuracy }) => mask === closed.best.mask.join('') && accuracy === closed.best.fitness,
    )!;
    expect(leader.accuracy, 'or nothing would be inherited').toBeGreaterThan(alpha);
    base = leader.weights!;
  }
});

it('stopBelowMedian: a retraining below the median of the generations before is ended there, the others are not', async () => {
  const set = ['retrain.epochs=2', 'evolution.stopBelowMedian=[0.5]', 'evolution.initialRetainProbability=0.9'];
  const flags = [...set, 'evolution.mutationProbability=0.5'].flatMap((assignment) => ['--set', assignment]);
  const args = ['run', file, ...flags, '--run-id', 'stops', '--broker', 'local', '--json'];
  const { imagesTrained } = await place.start(args).summary<Summary>();
  const before: number[] = [];
  let [stopped, epochs] = [0, 3];
  for (const { measured } of await generationsOf('stops')) {
    const atRung = measured.map(({ curve }) => curve[0]!.accuracy!);
    const threshold = before.length > 0 ? median(before) : 0;
    const below = atRung.map((accuracy) => accuracy < threshold);
    expect(measured.map(({ curve }) => curve.length)).toEqual(below.map((is) => (is ? 1 : 2)));
    expect(measured.map(({ epochsGiven }) => epochsGiven)).toEqual(below.map((is) => (is ? 2 : undefined)));
    before.push(...atRung);
    stopped += below.filter(Boolean).length;
    epochs += measured.reduce((sum, { curve }) => sum + curve.length, 0);
  }
  expect(stopped).toBeGreaterThan(0);
  expect(imagesTrained).toBe(epochs * EPOCH);
});

it('refuses a budget that leaves no epoch beside alpha, before anything is trained', async () => {
  const cli = place.start(['run', file, '--set', `budget=${4 * EPOCH - 1}`, '--broker', 'local']);
  expect((await cli.exited).code).toBe(2);
  expect(cli.stderr).toContain(`beside alpha's 3 takes ${4 * EPOCH}`);
});

it('steadyStateLag, averageLast: the same facts from one worker and from two, killed, resumed; its budget is spent to within an epoch', async () => {
  const set = ['alpha.epochs=1', 'alpha.batchSize=64', 'evolution.steadyStateLag=2', `budget=${15 * EPOCH + 100}`];
  const flags = ['retrain.epochs=2', 'retrain.averageLast=2', ...set].flatMap((assignment) => ['--set', assignment]);
  const args = (runId: string, workers: string) =>
    ['run', file, ...flags, '--run-id', runId, '--broker', 'local', '--workers', workers, '--json'] as const;
  const summary = await place.start([...args('steady', '1')]).summary<Summary>();
  // Alpha; four of two epochs, and an epoch's images for the statistics of their averages; two of one epoch.
  expect(summary.imagesTrained).toBe((1 + 4 * 3 + 2) * EPOCH);

  const cli = place.start([...args('steady-killed', '2')]);
  await until('three individuals were measured', async () => {
    const { lines } = await readJournal(join(place.runs, 'steady-killed', 'journal.jsonl'));
    return lines.filter(({ fact }) => fact.type === 'evaluated').length >= 3;
  });
  cli.child.kill('SIGKILL');
  await cli.exited;
  await place.start(['resume', 'steady-killed', '--broker', 'local', '--workers', '2', '--json']).summary<Summary>();
  const facts = await factsOf('steady');
  expect(facts.filter(({ type }) => type === 'generation').length).toBeGreaterThan(0);
  expect(comparable(await factsOf('steady-killed'))).toEqual(comparable(facts));
});

it('successiveHalving: the same facts from one worker and from two, killed, resumed; who goes on has the bits of an undisturbed training', async () => {
  const evolution = { populationSize: 6, generations: 1, successiveHalving: { firstEpochs: 1, eta: 2 } };
  const set = ['retrain.epochs=4', `evolution=${JSON.stringify(evolution)}`];
  const flags = set.flatMap((assignment) => ['--set', assignment]);
  const args = (runId: string, workers: string) =>
    ['run', file, ...flags, '--run-id', runId, '--workers', workers, '--json'] as const;
  const summary = await place.start([...args('halves', '1'), '--broker', 'local']).summary<Summary>();
  const facts = await factsOf('halves');
  const evaluated = facts.flatMap((fact) => (fact.type === 'evaluated' ? [fact] : []));
  // Of five masks (one was drawn twice) two go on after one epoch and one after two.
  const initial = (await generationsOf('halves'))[0]!.measured;
  expect(initial.map(({ curve }) => curve.length).sort()).toEqual([1, 1, 1, 2, 4]);
  const epochs = evaluated.reduce((sum, { curve }) => sum + curve.length, 0);
  expect(summary.imagesTrained).toBe((3 + epochs) * EPOCH);

  const cli = place.start([...args('halves-killed', '2')]);
  await until('somebody was trained past the first rung', async () => {
    const { lines } = await readJournal(join(place.runs, 'halves-killed', 'journal.jsonl'));
    return lines.some(({ fact }) => fact.type === 'rung' && fact.from > 0);
  });
  cli.child.kill('SIGKILL');
  await cli.exited;
  await place.start(['resume', 'halves-killed', '--workers', '2', '--json']).summary<Summary>();
  expect(comparable(await factsOf('halves-killed'))).toEqual(comparable(facts));

  const cache = cacheFolder(place.env.NESGD_CACHE as string);
  expect(await readdir(cache.snapshots)).toEqual([]);
  const opened = facts.find((fact) => fact.type === 'opened')!;
  const alpha = facts.find((fact) => fact.type === 'alpha')!;
  const survivor = initial.find(({ curve }) => curve.length === 4)!;
  const { mask, repeat } = survivor;
  const job = jobsOf(opened).evaluate({ alpha: alpha.weights, mask, repeat, epochs: 4, keepWeightsAbove: null });
  const dispatcher = new LocalDispatcher({ workers: 1, cacheRoot: cache.root, snapshotEpochs: 0 });
  const { result } = await dispatcher.dispatch(job);
  await dispatcher.close();
  const { accuracy, curve, imagesTrained } = survivor;
  expect(result).toMatchObject({ accuracy, curve, imagesTrained });
  const last = facts.find((fact) => fact.type === 'rung' && fact.mask === mask && fact.until === 4);
  expect(last).toMatchObject({ weights: result.weights });
});
