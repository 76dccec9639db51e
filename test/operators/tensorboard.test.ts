import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { type EvaluatedFact, type Fact, readRun } from '@nesgd/core/run';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until, Workplace, writeExperiment } from '../support/cli.js';
import { tinyExperiment } from '../support/tiny.js';
import { runProgram } from './program.js';

/** The real TensorBoard serves what `nesgd export --format tensorboard` wrote of a real run. */
const PYTHON = process.env.NESGD_TENSORBOARD_PYTHON ?? 'python3';
const WANTED =
  'install TensorBoard (pip install -r test/operators/requirements.txt), and let NESGD_TENSORBOARD_PYTHON name its Python';

let workplace: Workplace;
let facts: Fact[];
let url: string;
let stop: () => Promise<void>;

beforeAll(async () => {
  const { code, said } = await runProgram(PYTHON, ['-c', 'import tensorboard'], '', WANTED);
  if (code !== 0) throw new Error(`${said}\n${WANTED}`);
  workplace = await Workplace.create();
  const path = await writeExperiment(join(workplace.folder, 'tiny.yaml'), tinyExperiment());
  await workplace.start(['run', path, '--run-id', 'seen', '--workers', '1', '--json']).summary();
  facts = (await readRun(workplace.runs, 'seen')).lines.map(({ fact }) => fact);
  const out = join(workplace.folder, 'out');
  await workplace.start(['export', 'seen', '--format', 'tensorboard', '--out', out, '--json']).summary();
  const logs = ['--logdir', join(out, 'tensorboard'), '--port', '0', '--host', '127.0.0.1', '--load_fast=false'];
  const server = spawn(PYTHON, ['-m', 'tensorboard.main', ...logs], { stdio: ['ignore', 'ignore', 'pipe'] });
  const gone = once(server, 'close');
  stop = async () => {
    server.kill('SIGKILL');
    await gone;
  };
  let text = '';
  server.stderr.setEncoding('utf8').on('data', (part: string) => {
    text += part;
  });
  url = await until('TensorBoard serves', async () => /http:\/\/\S+?:\d+/.exec(text)?.[0]);
});
afterAll(async () => {
  await stop?.();
  await workplace?.destroy();
});

const ask = async <T>(path: string) => (await (await fetch(`${url}/data/plugin/scalars/${path}`)).json()) as T;

/** Steps and values as TensorBoard has them. */
async function scalars(run: string, tag: string): Promise<[number, number][]> {
  const rows = await ask<[number, number, number][]>(`scalars?${new URLSearchParams({ run, tag })}`);
  return rows.map(([, step, value]) => [step, value]);
}

it('TensorBoard has a curve for alpha and for every individual, and the search, all with the journal’s figures', async () => {
  const evaluated = facts.filter((fact): fact is EvaluatedFact => fact.type === 'evaluated');
  const runs = ['alpha', 'search', ...evaluated.map(({ mask }) => `individuals/${mask}`)].sort();
  await until('it has read all', async () => Object.keys(await ask<object>('tags')).length === runs.length);
  expect(Object.keys(await ask<object>('tags')).sort()).toEqual(runs);

  const alpha = facts.find((fact) => fact.type === 'alpha');
  const epochs = alpha?.curve.length ?? 0;
  const curve = (records: EvaluatedFact['curve'], from: number) =>
    records.map(({ epoch, accuracy }) => [from + epoch, expect.closeTo(accuracy ?? Number.NaN, 6)]);
  expect(await scalars('alpha', 'accuracy/validation')).toEqual(curve(alpha?.curve ?? [], 0));
  for (const fact of evaluated)
    expect(await scalars(`individuals/${fact.mask}`, 'accuracy/validation')).toEqual(curve(fact.curve, epochs));
  const generations = facts.filter((fact) => fact.type === 'generation');
  expect(await scalars('search', 'search/best')).toEqual(
    generations.map(({ t, best }) => [t, expect.closeTo(best.fitness, 6)]),
  );
  expect(await scalars('search', 'search/nabla')).toEqual(
    generations.map(({ t, nabla }) => [t, expect.closeTo(nabla, 6)]),
  );
});
