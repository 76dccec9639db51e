import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Fact, readJournal } from '@nesgd/core/run';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until, Workplace, writeExperiment } from '../support/cli.js';
import { tinyExperiment } from '../support/tiny.js';

interface Estimate {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}
interface Comparison {
  readonly methods: readonly {
    name: string;
    seeds: number;
    imagesSeen: number;
    validationAccuracy: Estimate;
    testAccuracy: Estimate;
    runs: string[];
  }[];
  readonly pairs: readonly { a: string; b: string; difference: number; low: number; high: number; p: number }[];
  readonly notes: readonly string[];
  readonly reach: readonly { a: string; b: string; ratio: number | null }[];
}

/** Training images of an epoch of the tiny experiment. */
const EPOCH = 480;
const BUDGET = 4 * EPOCH + 7;

let place: Workplace;
let file: string;
const args = (...more: string[]) => [
  'compare',
  file,
  '--seeds',
  '2',
  '--budget',
  String(BUDGET),
  '--methods',
  'sgd,ne-sgd',
  '--set',
  'alpha.epochs=1',
  ...more,
  '--json',
];

beforeAll(async () => {
  place = await Workplace.create();
  file = await writeExperiment(join(place.folder, 'tiny.yaml'), tinyExperiment());
  await writeExperiment(join(place.folder, 'other.yaml'), tinyExperiment({ name: 'other', seed: 99 }));
});
afterAll(() => place.destroy());

it('compare: killed and asked again it goes on; equal budgets, the test set once a run, one pair, all from the journals', async () => {
  const first = place.start(args());
  const finishedRuns = async () => {
    const names = await readdir(place.runs).catch(() => []);
    const facts = await Promise.all(names.map((name) => factsOf(name)));
    return facts.filter((of) => of.some(({ type }) => type === 'finished'));
  };
  await until('a run was finished', async () => (await finishedRuns()).length > 0);
  first.child.kill('SIGKILL');
  await first.exited;
  const before = (await finishedRuns()).length;
  expect(before).toBeLessThan(4);
  if (before === 1) {
    const none = place.start(args('--so-far'));
    expect((await none.exited).code).toBe(2);
    expect(none.stderr).toContain('no seed that every one of the 2 methods has finished');
  }

  const comparison = await place.start(args()).summary<Comparison>();
  expect(comparison.methods.map(({ name, seeds }) => [name, seeds])).toEqual([
    ['sgd', 2],
    ['ne-sgd', 2],
  ]);
  for (const { imagesSeen, runs, testAccuracy, validationAccuracy } of comparison.methods) {
    expect(imagesSeen).toBe(4 * EPOCH);
    const all = await Promise.all(runs.map(factsOf));
    const ends = all.map((facts) => facts.find((fact) => fact.type === 'finished')!.best);
    expect(testAccuracy.mean).toBeCloseTo((ends[0]!.testAccuracy + ends[1]!.testAccuracy) / 2, 12);
    expect(validationAccuracy.mean).toBeCloseTo((ends[0]!.accuracy + ends[1]!.accuracy) / 2, 12);
    for (const facts of all)
      expect(facts.filter((fact) => fact.type === 'tested' && fact.which === 'best')).toHaveLength(1);
    const seeds = all.map((facts) => facts.flatMap((fact) => (fact.type === 'opened' ? [fact.experiment.seed] : [])));
    expect(seeds).toEqual([[7], [8]]);
  }
  const [sgd, neSgd] = comparison.methods;
  expect(comparison.pairs).toHaveLength(1);
  expect(comparison.pairs[0]).toMatchObject({ a: 'sgd', b: 'ne-sgd' });
  expect(comparison.pairs[0]!.difference).toBeCloseTo(sgd!.testAccuracy.mean - neSgd!.testAccuracy.mean, 12);
  expect([0.5, 1]).toContain(comparison.pairs[0]!.p);

  expect(comparison.reach.map(({ a, b }) => `${a} ${b}`)).toEqual([
    'sgd sgd',
    'sgd ne-sgd',
    'ne-sgd sgd',
    'ne-sgd ne-sgd',
  ]);
  for (const { a, b, ratio } of comparison.reach) if (a === b) expect(ratio).toBeLessThanOrEqual(1);

  // All is done: asked a third time, it trains nothing and says the same.
  const third = place.start(args('--workers', '1'));
  expect(await third.summary<Comparison>()).toEqual(comparison);

  const [markdown, svg] = [join(place.folder, 'tables.md'), join(place.folder, 'figure.svg')];
  const soFar = place.start(args('--so-far', '--markdown', markdown, '--svg', svg));
  expect(await soFar.summary<Comparison>()).toEqual(comparison);
  const test = (100 * sgd!.testAccuracy.mean).toFixed(2);
  expect(await readFile(markdown, 'utf8')).toMatch(new RegExp(`\\| sgd .*\\| +${test} \\|`));
  expect(await readFile(svg, 'utf8')).toMatch(/^<svg .*ne-sgd.*<\/svg>\n$/s);
});

it('compare: a method that diverges is left out with a note, the others go on, and asked again it is not trained again', async () => {
  const dataset = { name: 'mnist', trainImages: 200, testImages: 100, validationFraction: 0.2 };
  const alpha = { epochs: 1, learningRate: 0.05, batchSize: 32 };
  const retrain = { learningRateRetained: 1e20, learningRateReinitialised: 1e30, epochs: 1, batchSize: 32 };
  const write = (name: string, changes: Record<string, unknown>) =>
    writeExperiment(join(place.folder, `${name}.yaml`), tinyExperiment({ name, dataset, alpha, ...changes }));
  const files = [await write('wild', { retrain }), await write('tame', { method: { name: 'sgd' } })];
  const own = ['compare', ...files, '--seeds', '1', '--budget', '320', '--json', '--broker', 'local', '--workers', '1'];
  const comparison = await place.start(own).summary<Comparison>();
  expect(comparison.methods.map(({ name }) => name)).toEqual(['tame']);
  expect(comparison.notes).toEqual([
    expect.stringMatching(/^wild diverged with every seed and is left out: every individual's loss stopped/),
  ]);

  const wildRun = (await readdir(place.runs)).find((name) => name.startsWith('compare-wild'))!;
  const before = await factsOf(wildRun);
  expect(before.filter(({ type }) => type === 'diverged')).toHaveLength(1);
  expect(await place.start(own).summary<Comparison>()).toEqual(comparison);
  expect(await factsOf(wildRun)).toEqual(before);
  expect(await place.start([...own, '--so-far']).summary<Comparison>()).toEqual(comparison);
});

it.each([
  ['a method that is none', ['--methods', 'sdg'], '"sdg" is none of ne-sgd, '],
  ['fitness on the test set', ['--set', 'fitness=test'], 'give fitness: validation'],
  ['experiments of different seeds', ['other.yaml'], 'and other seed 99, but pairs are made by seed'],
])('compare: refuses %s before anything is trained', async (_, flags, message) => {
  const cli = place.start(['compare', file, '--budget', '2000', ...flags]);
  expect((await cli.exited).code).toBe(2);
  expect(cli.stderr).toContain(message);
});

async function factsOf(runId: string): Promise<Fact[]> {
  const { lines } = await readJournal(join(place.runs, runId, 'journal.jsonl'));
  return lines.map(({ fact }) => fact);
}
