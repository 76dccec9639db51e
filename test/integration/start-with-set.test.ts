import { readRun } from '@nesgd/core/run';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { until, Workplace } from '../support/cli.js';
import { Served } from '../support/served.js';
import { tinyExperiment } from '../support/tiny.js';

/** A run is started over HTTP with keys set over its experiment. */
let workplace: Workplace;
let server: Served;

beforeAll(async () => {
  workplace = await Workplace.create();
  server = await Served.start(workplace);
});
afterAll(() => workplace.destroy());

const experiment = stringify(tinyExperiment({ evolution: { populationSize: 5, generations: 1 } }));

it('set: what is set wins over the text, in its order', async () => {
  const set = [
    'seed=9',
    'evolution={populationSize: 2, generations: 0}',
    'seed=8',
    'dataset.augmentation={padCrop: 1}',
  ];
  expect(await server.post('/runs', { experiment, set, runId: 'set', workers: 1 })).toMatchObject({ status: 201 });
  await until('it is over', async () => (await server.snapshot('set')).state === 'finished');
  const { opened } = await readRun(workplace.runs, 'set');
  const evolution = { populationSize: 2, generations: 0 };
  expect(opened).toMatchObject({ experiment: { seed: 8, evolution, dataset: { augmentation: { padCrop: 1 } } } });
});

it('set: a fault names the pair that it came from, and of the text its line', async () => {
  const wrong = experiment.replace('epochs: 3', 'epochs: x');
  const { status, body } = await server.post('/runs', { experiment: wrong, set: ['seed=-7', 'evolution.size=4'] });
  expect([status, body.code]).toEqual([422, 'EXPERIMENT']);
  const text = expect.any(String);
  expect(body.faults).toEqual([
    { key: 'seed', text, flag: '--set seed=-7' },
    { key: 'alpha.epochs', text, line: experiment.split('\n').indexOf('  epochs: 3') + 1 },
    { key: 'evolution.size', text, flag: '--set evolution.size=4' },
  ]);
});

it.each([
  ['a file of the machine as data', 'dataset.path=/etc', 'dataset.path'],
  ['a file of the machine as alpha', 'alpha={from: /etc/passwd}', 'alpha.from'],
  ['no value', 'seed', ''],
  ['no YAML', 'seed=[', ''],
  ['brackets without end', `seed=${'['.repeat(900)}`, ''],
  ['a profile that is not there', 'profile=small', ''],
])('set: %s is refused by its pair', async (_, pair, key) => {
  const refusal = await server.post('/runs', { experiment, set: [pair] });
  expect(refusal).toMatchObject({ status: 422, body: { faults: [{ key, flag: `--set ${pair}` }] } });
});

it.each([
  ['no list', 'seed=1'],
  ['a character that no argument can hold', ['name=a\0b']],
  ['a longer one than there is need for', [`name=${'x'.repeat(1_000)}`]],
  ['more than there is need for', Array(101).fill('seed=1')],
])('set: %s is no request', async (_, set) => {
  expect(await server.post('/runs', { experiment, set })).toMatchObject({ status: 400 });
});
