import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkCheckpoint } from '@nesgd/core/checkpoint';
import { blockNames } from '@nesgd/core/models';
import { canonicalFacts, type Fact, type JournalLine, readJournal } from '@nesgd/core/run';
import { sha256OfFile } from '@nesgd/core/storage';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunSummary } from '../../apps/coordinator/src/run-events.js';
import { Workplace, writeExperiment } from '../support/cli.js';
import { tinyExperiment } from '../support/tiny.js';

/** What a run leaves behind, on standard output and on disk, for those who script against it. */
let workplace: Workplace;
let tiny: string;
let stdout: string;
let summary: RunSummary;

const folder = (runId: string, ...names: string[]) => join(workplace.runs, runId, ...names);

async function linesOf(runId: string): Promise<JournalLine[]> {
  return (await readJournal(folder(runId, 'journal.jsonl'))).lines;
}

async function factsOf<T extends Fact['type']>(runId: string, type: T): Promise<Extract<Fact, { type: T }>[]> {
  const facts = (await linesOf(runId)).map((line) => line.fact);
  return facts.filter((fact): fact is Extract<Fact, { type: T }> => fact.type === type);
}

/** Runs the tiny experiment with changes, without a queue. */
function run(runId: string, ...set: string[]): Promise<RunSummary> {
  const changes = set.flatMap((assignment) => ['--set', assignment]);
  return workplace.start(['run', tiny, '--broker', 'local', '--run-id', runId, '--json', ...changes]).summary();
}

beforeAll(async () => {
  workplace = await Workplace.create();
  tiny = await writeExperiment(join(workplace.folder, 'tiny.yaml'), tinyExperiment());
  const cli = workplace.start(['run', tiny, '--run-id', 'tiny', '--workers', '2', '--json']);
  summary = await cli.summary<RunSummary>();
  stdout = cli.stdout;
});
afterAll(() => workplace.destroy());

describe('run --json', () => {
  it('writes exactly one line, with exactly the keys that others script against', () => {
    expect(stdout).toBe(`${JSON.stringify(summary)}\n`);
    expect(summary).toEqual({
      runId: 'tiny',
      dataset: 'mnist',
      model: 'resnet8',
      engine: expect.stringMatching(/^(tensorflow|wasm)$/),
      workers: 2,
      method: 'ne-sgd',
      alpha: {
        validationAccuracy: expect.any(Number),
        testAccuracy: expect.any(Number),
        epochs: 3,
      },
      best: {
        mask: expect.stringMatching(/^[01]{5}$/),
        validationAccuracy: expect.any(Number),
        testAccuracy: expect.any(Number),
      },
      verdict: expect.stringMatching(/^(better|alpha trained longer|not better)$/),
      expectation: null,
      generations: 2,
      evaluations: 12,
      cacheHits: expect.any(Number),
      epochsTrained: expect.any(Number),
      imagesTrained: expect.any(Number),
      seconds: expect.any(Number),
    });
  });

  it('says what the journal says', async () => {
    const evaluated = await factsOf('tiny', 'evaluated');
    const [alpha] = await factsOf('tiny', 'alpha');
    const tested = await factsOf('tiny', 'tested');
    const [opened] = await factsOf('tiny', 'opened');
    expect(summary.engine).toBe(opened?.runtime.engine);
    expect(summary.alpha?.validationAccuracy).toBe(alpha?.accuracy);
    expect(summary.alpha?.testAccuracy).toBe(tested.find(({ which }) => which === 'alpha')?.accuracy);
    expect(summary.best.validationAccuracy).toBe(Math.max(...evaluated.map(({ accuracy }) => accuracy)));
    expect(summary.best.validationAccuracy).toBe(evaluated.find(({ mask }) => mask === summary.best.mask)?.accuracy);
    expect(summary.best.testAccuracy).toBe(tested.find(({ which }) => which === 'best')?.accuracy);
    expect(summary.cacheHits).toBe(summary.evaluations - evaluated.length);
    expect(summary.epochsTrained).toBe(3 + evaluated.length);
    expect((await factsOf('tiny', 'generation')).map(({ t }) => t)).toEqual([0, 1, 2]);
    expect(summary.seconds).toBeGreaterThan(0);
  });
});

describe('a run', () => {
  it('trains no genome twice', async () => {
    const logs = (await readdir(folder('tiny', 'logs'))).map((name) => folder('tiny', 'logs', name));
    const entries = (await Promise.all(logs.map((log) => readFile(log, 'utf8'))))
      .flatMap((log) => log.trimEnd().split('\n'))
      .map((line) => JSON.parse(line) as { msg: string; kind?: string; mask?: string });
    const trained = entries.filter(({ msg, kind }) => msg === 'job started' && kind === 'evaluate');
    const masks = trained.map(({ mask }) => mask);
    expect(masks.length).toBe(new Set(masks).size);
    expect(masks.sort()).toEqual((await factsOf('tiny', 'evaluated')).map(({ mask }) => mask).sort());
    expect(summary.cacheHits, 'or this test could not fail').toBeGreaterThan(0);
  });

  it.each(['alpha', 'best'] as const)('leaves the network of %s as a checkpoint', async (which) => {
    const path = folder('tiny', `${which}.safetensors`);
    const bytes = await readFile(path);
    const model = { name: 'resnet8', granularity: 'block' } as const;
    checkCheckpoint(bytes, { model, imageShape: [28, 28, 1], classes: 10, source: path });
    const tested = await factsOf('tiny', 'tested');
    expect(await sha256OfFile(path)).toBe(tested.find((fact) => fact.which === which)?.weights);
  });

  it('leaves its experiment as a file that gives the same facts again', async () => {
    const [opened] = await factsOf('tiny', 'opened');
    const args = ['run', folder('tiny', 'experiment.yaml'), '--run-id', 'again', '--broker', 'local', '--json'];
    await workplace.start([...args, '--engine', opened?.runtime.engine as string]).summary();
    const [openedAgain, ...others] = canonicalFacts(await linesOf('again'));
    expect(openedAgain).toEqual({ ...opened, runId: 'again' });
    expect(others).toEqual(canonicalFacts(await linesOf('tiny')).slice(1));
  });

  it('takes alpha from an earlier run, measures it the same and trains none', async () => {
    const from = await run('from', 'alpha={from: runs/tiny/alpha.safetensors}', 'evolution.generations=0');
    expect(from.alpha).toEqual({ ...summary.alpha, epochs: 0 });
    expect(await factsOf('from', 'evaluated')).not.toEqual([]);
  });

  it('with fitness: test measures everything on the test set and says no validation accuracy', async () => {
    const { alpha, best } = await run(
      'test',
      'fitness=test',
      'evolution.generations=0',
      'dataset.validationFraction=0',
    );
    const accuracies = (await factsOf('test', 'evaluated')).map(({ accuracy }) => accuracy);
    expect(best).toMatchObject({ validationAccuracy: null, testAccuracy: Math.max(...accuracies) });
    expect(alpha).toMatchObject({
      validationAccuracy: null,
      testAccuracy: (await factsOf('test', 'alpha'))[0]?.accuracy,
    });
  });

  it('with reevaluateSurvivors measures survivors anew in the second generation, each once', async () => {
    const result = await run('anew', 'evolution={populationSize: 2, generations: 2, reevaluateSurvivors: true}');
    const evaluated = await factsOf('anew', 'evaluated');
    const [, first] = await factsOf('anew', 'generation');
    const anew = evaluated.filter(({ repeat }) => repeat === 2).map(({ mask }) => mask);
    expect(anew.sort()).toEqual([...new Set(first?.parents.map(({ mask }) => mask.join('')))].sort());
    expect(new Set(evaluated.map(({ mask, repeat }) => `${mask}/${repeat}`)).size).toBe(evaluated.length);
    expect(result).toMatchObject({ evaluations: 8, cacheHits: 8 - evaluated.length });
  });

  it('clusters its pool, unless suppression is off', async () => {
    await run('plain', 'evolution={populationSize: 4, generations: 1, suppression: false}');
    const [, plain] = await factsOf('plain', 'generation');
    expect(plain).toMatchObject({ t: 1, clusters: [], suppressed: [] });
    const [, clustered] = await factsOf('tiny', 'generation');
    expect(new Set(clustered?.clusters).size).toBe(4);
  });

  it.each([
    ['resnet8', 'layer'],
    ['resnet14', 'stage'],
  ] as const)('of %s has a bit for each %s', async (name, granularity) => {
    const model = { name, granularity };
    const set = [`model={name: ${name}, granularity: ${granularity}}`, 'alpha.epochs=1', 'dataset.trainImages=200'];
    const { best } = await run(granularity, ...set, 'evolution={populationSize: 2, generations: 0}');
    const names = blockNames(model, [28, 28, 1], 10).map((block) => block.name);
    expect((await factsOf(granularity, 'opened'))[0]?.blocks.map((block) => block.name)).toEqual(names);
    expect(names.length).not.toBe(blockNames({ name, granularity: 'block' }, [28, 28, 1], 10).length);
    expect(best.mask.length).toBe(names.length);
  });
});

describe('the other commands', () => {
  it('resume --json of a finished run says its result again', async () => {
    const again = await workplace.start(['resume', 'tiny', '--json']).summary<RunSummary>();
    expect({ ...again, workers: 2, seconds: summary.seconds }).toEqual(summary);
  });

  it('status --json is one line: all runs, or one in full', async () => {
    const one = workplace.start(['status', 'tiny', '--json']);
    expect(await one.summary()).toMatchObject({ runId: 'tiny', state: 'finished', evaluated: 12 - summary.cacheHits });
    expect(one.stdout.trimEnd()).not.toContain('\n');
    const all = await workplace.start(['status', '--json']).summary<{ runId: string; bestTestAccuracy: number }[]>();
    expect(all.find(({ runId }) => runId === 'tiny')?.bestTestAccuracy).toBe(summary.best.testAccuracy);
  });

  it('doctor --json is one line that says whether anything can run', async () => {
    const cli = workplace.start(['doctor', '--json']);
    expect(await cli.summary()).toMatchObject({ canRun: true, checks: expect.any(Array) });
    expect(cli.stdout.trimEnd()).not.toContain('\n');
  });

  it.each([
    [
      ['run', '--help'],
      ['--set', '--data', '--workers', '--engine', '--broker', '--run-id', '--runs', '--json'],
    ],
    [
      ['resume', '--help'],
      ['--workers', '--broker', '--runs', '--json'],
    ],
    [
      ['status', '--help'],
      ['--runs', '--json'],
    ],
    [
      ['worker', '--help'],
      ['--broker', '--name', '--json'],
    ],
    [['doctor', '--help'], ['--json']],
    [['--help'], ['run', 'resume', 'status', 'worker', 'doctor', '130']],
  ])('%j names what there is', async (args, names) => {
    const cli = workplace.start(args);
    expect(await cli.exited).toEqual({ code: 0, signal: null });
    for (const name of names) expect(cli.stdout).toContain(name);
  });
});
