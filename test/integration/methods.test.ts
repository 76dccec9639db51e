import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalFacts, type Fact, readJournal } from '@nesgd/core/run';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
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

beforeAll(async () => {
  place = await Workplace.create();
  file = await writeExperiment(join(place.folder, 'tiny.yaml'), tinyExperiment());
});
afterAll(() => place.destroy());

const factsOf = async (runId: string): Promise<Fact[]> =>
  canonicalFacts((await readJournal(join(place.runs, runId, 'journal.jsonl'))).lines);
const comparable = (facts: Fact[]) => facts.map((fact) => (fact.type === 'opened' ? { ...fact, runId: '' } : fact));

function start(method: keyof typeof METHODS, runId: string, ...more: string[]): Cli {
  const set = { method: { name: method, ...METHODS[method] }, budget: BUDGET };
  const flags = Object.entries(set).flatMap(([key, value]) => ['--set', `${key}=${JSON.stringify(value)}`]);
  return place.start(['run', file, ...flags, '--run-id', runId, '--broker', 'local', '--json', ...more]);
}

describe.each(Object.keys(METHODS) as (keyof typeof METHODS)[])('method %s, trained for real', (method) => {
  it('spends its budget to within an epoch, meets the test set once, and does not depend on the number of workers', async () => {
    const summary = await start(method, `${method}-one`, '--workers', '1').summary<Summary>();
    await start(method, `${method}-two`, '--workers', '2').summary<Summary>();
    expect(summary.method).toBe(method);
    expect(summary.imagesTrained).toBe(6 * EPOCH);

    const facts = await factsOf(`${method}-one`);
    expect(comparable(await factsOf(`${method}-two`))).toEqual(comparable(facts));
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

it.each(['esgd', 'pbt', 'random-masks'] as const)(
  '%s: killed and resumed without its cache of weights, it has the same facts',
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

it('refuses a budget that leaves no epoch beside alpha, before anything is trained', async () => {
  const cli = place.start(['run', file, '--set', `budget=${4 * EPOCH - 1}`, '--broker', 'local']);
  expect((await cli.exited).code).toBe(2);
  expect(cli.stderr).toContain(`beside alpha's 3 takes ${4 * EPOCH}`);
});
