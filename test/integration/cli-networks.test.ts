import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkCheckpoint } from '@nesgd/core/checkpoint';
import { type JournalLine, readJournal } from '@nesgd/core/run';
import { loadGraphModel } from '@tensorflow/tfjs-converter';
import { setBackend, Tensor, tensor } from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ExportSummary } from '../../apps/coordinator/src/commands/export.js';
import type { PredictSummary } from '../../apps/coordinator/src/commands/predict.js';
import type { ReportSummary } from '../../apps/coordinator/src/commands/report.js';
import { Workplace, writeExperiment } from '../support/cli.js';
import { listing } from '../support/listing.js';
import { tinyExperiment } from '../support/tiny.js';

/** What is done with a run's networks: `nesgd export` and `nesgd predict`, as processes of their own. */
let workplace: Workplace;
const PIXELS = Uint8Array.from({ length: 28 * 28 }, (_, i) => (i * 31) % 256);

const inRun = (runId: string, ...names: string[]) => join(workplace.runs, runId, ...names);
const digit = () => join(workplace.folder, 'digit.png');

beforeAll(async () => {
  workplace = await Workplace.create();
  const tiny = tinyExperiment({ evolution: { populationSize: 2, generations: 0 } });
  const path = await writeExperiment(join(workplace.folder, 'tiny.yaml'), tiny);
  await workplace.start(['run', path, '--run-id', 'tiny', '--broker', 'local', '--json']).summary();
  const grey = { raw: { width: 28, height: 28, channels: 1 as const } };
  await sharp(PIXELS, grey).png().toFile(digit());
});
afterAll(() => workplace.destroy());

async function lines(runId: string): Promise<JournalLine[]> {
  return (await readJournal(inRun(runId, 'journal.jsonl'))).lines;
}

/** A copy of the run whose journal was edited. */
async function edited(id: string, edit: (texts: string[]) => string[]): Promise<void> {
  await cp(inRun('tiny'), inRun(id), { recursive: true });
  const path = inRun(id, 'journal.jsonl');
  const texts = (await readFile(path, 'utf8')).trimEnd().split('\n');
  // Who edits a line by hand takes its checksum away.
  await writeFile(path, `${edit(texts.map((text) => text.replace(/,"sum":"\w+"\}$/, '}'))).join('\n')}\n`);
}

async function refused(args: string[], says: RegExp): Promise<void> {
  const before = await listing(workplace.folder);
  const cli = workplace.start(args);
  expect(await cli.exited).toEqual({ code: 2, signal: null });
  expect(cli.stderr).toMatch(says);
  expect(cli.stderr).not.toMatch(/unexpected:|\n {4}at /);
  expect(cli.stdout).toBe('');
  expect(await listing(workplace.folder)).toEqual(before);
}

/** As a server would give it to `tf.loadGraphModel`. */
async function browserModel(folder: string) {
  const model = JSON.parse(await readFile(join(folder, 'model.json'), 'utf8'));
  const [{ paths, weights }] = model.weightsManifest;
  const data = Buffer.concat(await Promise.all(paths.map((path: string) => readFile(join(folder, path)))));
  const weightData = new Uint8Array(data).buffer;
  return loadGraphModel({ load: async () => ({ ...model, weightSpecs: weights, weightData }) });
}

describe('nesgd export and nesgd predict', () => {
  const predicted = new Map<string, PredictSummary['predictions'][number]['classes']>();

  it.each(['best', 'alpha'] as const)('%s: the exported TensorFlow.js model says what predict says', async (which) => {
    const out = join(workplace.folder, `export-${which}`);
    const args = ['tiny', '--which', which, '--json'];
    const { files } = await workplace.start(['export', ...args, '--out', out]).summary<ExportSummary>();
    expect(files.map(({ path }) => path)).toEqual([
      `${which}.safetensors`,
      `${which}-tfjs/weights-1-of-1.bin`,
      `${which}-tfjs/model.json`,
    ]);
    const cli = workplace.start(['predict', ...args, '--top', '10', digit(), digit()]);
    const { predictions } = await cli.summary<PredictSummary>();
    predicted.set(which, predictions[0]!.classes);
    expect(predictions.map(({ image }) => image)).toEqual([digit(), digit()]);
    expect(predictions[0]?.classes).toEqual(predictions[1]?.classes);

    await setBackend('cpu');
    const model = await browserModel(join(out, `${which}-tfjs`));
    const probabilities = model.predict(tensor(Float32Array.from(PIXELS), [1, 28, 28, 1]));
    if (!(probabilities instanceof Tensor)) throw new Error('one tensor is wanted');
    const wanted = [...probabilities.dataSync()];
    const classes = predictions[0]?.classes ?? [];
    expect(classes.map(({ probability }) => probability)).toEqual(
      [...wanted].sort((a, b) => b - a).map((p) => expect.closeTo(p, 5)),
    );
    for (const { index, name, probability } of classes) {
      expect(name).toBe(String(index));
      expect(probability).toBeCloseTo(wanted[index]!, 5);
    }
  });

  it('the two networks differ, or the test above could not tell them apart', () => {
    expect(predicted.get('best')).not.toEqual(predicted.get('alpha'));
  });

  it('the safetensors are the run’s own weights, with all that is needed to use them', async () => {
    const bytes = await readFile(join(workplace.folder, 'export-best', 'best.safetensors'));
    const model = { name: 'resnet8', granularity: 'block' } as const;
    checkCheckpoint(bytes, { model, imageShape: [28, 28, 1], classes: 10, source: 'export' });
    const headerOf = (file: Buffer) => JSON.parse(file.toString('utf8', 8, 8 + Number(file.readBigUInt64LE())));
    const dataOf = (file: Buffer) => file.subarray(8 + Number(file.readBigUInt64LE()));
    const own = await readFile(inRun('tiny', 'best.safetensors'));
    expect(dataOf(bytes)).toEqual(dataOf(own));

    const facts = (await lines('tiny')).map((line) => line.fact);
    const finished = facts.find((fact) => fact.type === 'finished');
    const metadata = headerOf(bytes).__metadata__;
    expect(metadata).toMatchObject({
      run: 'tiny',
      which: 'best',
      mask: finished?.best.mask,
      fitness_split: 'validation',
      fitness_accuracy: String(finished?.best.accuracy),
      test_accuracy: String(finished?.best.testAccuracy),
      weights_sha256: finished?.best.weights,
      input_shape: '[28,28,1]',
      blocks: JSON.stringify(facts[0]?.type === 'opened' && facts[0].blocks.map(({ name }) => name)),
    });
    // A run's own file can be used without the run, too.
    const { class_names, mean, std } = headerOf(own).__metadata__;
    expect({ class_names, mean, std }).toEqual({
      class_names: metadata.class_names,
      mean: metadata.mean,
      std: metadata.std,
    });
    expect(JSON.parse(class_names)).toEqual(['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']);
    expect(JSON.parse(mean)[0]).toBeCloseTo(0.1307, 4);
  });

  it('without flags writes everything into the run’s folder, and again over it', async () => {
    for (const _ of ['first', 'again']) {
      const cli = workplace.start(['export', 'tiny']);
      expect(await cli.exited).toEqual({ code: 0, signal: null });
      expect(cli.stdout.trimEnd().split('\n')).toHaveLength(3);
    }
    expect((await readdir(inRun('tiny', 'export'))).sort()).toEqual(['best-tfjs', 'best.safetensors']);
    expect((await readdir(inRun('tiny', 'export', 'best-tfjs'))).sort()).toEqual(['model.json', 'weights-1-of-1.bin']);
  });

  it('--format tensorboard writes a folder for alpha, each individual and the search, and no network', async () => {
    const out = join(workplace.folder, 'curves');
    const args = ['export', 'tiny', '--format', 'tensorboard', '--out', out, '--json'];
    const { files } = await workplace.start(args).summary<ExportSummary>();
    const masks = (await lines('tiny')).flatMap(({ fact }) => (fact.type === 'evaluated' ? [fact.mask] : []));
    const folders = ['alpha', 'search', ...masks.map((mask) => `individuals/${mask}`)];
    expect(files.map(({ path }) => path).sort()).toEqual(
      folders.map((folder) => `tensorboard/${folder}/events.out.tfevents.0.nesgd`).sort(),
    );
  });

  it('takes the leader of a run that goes on, and says no test accuracy of it', async () => {
    await edited('unfinished', (texts) => texts.filter((text) => !/"type":"(tested|finished)"/.test(text)));
    const out = join(workplace.folder, 'unfinished-export');
    await workplace.start(['export', 'unfinished', '--out', out, '--json']).summary();
    const { userDefinedMetadata } = JSON.parse(await readFile(join(out, 'best-tfjs', 'model.json'), 'utf8'));
    const finished = (await lines('tiny')).map((line) => line.fact).find((fact) => fact.type === 'finished');
    expect(userDefinedMetadata).toMatchObject({ mask: finished?.best.mask, test_accuracy: null });
  });

  it('a journal of an earlier version: takes the normalisation of the packed data set', async () => {
    await edited('old', ([opened, ...rest]) => [opened!.replace(/"normalisation":\{[^}]*\},/, ''), ...rest]);
    expect((await lines('old'))[0]?.fact).not.toHaveProperty('normalisation');
    const cli = workplace.start(['predict', 'old', digit(), digit(), '--top', '10', '--json']);
    expect((await cli.summary<PredictSummary>()).predictions[0]?.classes).toEqual(predicted.get('best'));
  });

  it('prints classes for people, the likeliest first', async () => {
    const cli = workplace.start(['predict', 'tiny', digit(), '--top', '2']);
    await cli.exited;
    expect(cli.stdout).toMatch(/digit\.png\n {2}0\.\d{4} {2}\d\n {2}0\.\d{4} {2}\d\n$/);
  });
});

describe('a method without masks', () => {
  beforeAll(async () => {
    const changes = ['method.name=sgd', 'method.sgd.repeats=1', 'method.sgd.epochs=1', 'dataset.trainImages=200'];
    const set = changes.flatMap((change) => ['--set', change]);
    const tiny = join(workplace.folder, 'tiny.yaml');
    await workplace.start(['run', tiny, ...set, '--run-id', 'sgd', '--broker', 'local', '--json']).summary();
  });

  it('its best network is exported, without a mask', async () => {
    const out = join(workplace.folder, 'sgd-export');
    await workplace.start(['export', 'sgd', '--format', 'tfjs', '--out', out, '--json']).summary();
    const { userDefinedMetadata } = JSON.parse(await readFile(join(out, 'best-tfjs', 'model.json'), 'utf8'));
    const finished = (await lines('sgd')).map((line) => line.fact).find((fact) => fact.type === 'finished');
    expect(userDefinedMetadata).toMatchObject({
      method: 'sgd',
      mask: null,
      weights_sha256: finished?.best.weights,
      test_accuracy: finished?.best.testAccuracy,
    });
  });

  it('has no alpha to export', () =>
    refused(['export', 'sgd', '--which', 'alpha'], /run sgd has no alpha: its method is sgd/));

  it('is reported', async () => {
    const { overview, runs } = await workplace.start(['report', 'sgd', '--json']).summary<ReportSummary>();
    expect(overview.rows[0]?.slice(0, 3)).toEqual(['sgd', 'finished', 'sgd']);
    expect(runs[0]?.generations.caption).toBe('Rounds');
  });
});

describe('what cannot be exported or predicted', () => {
  it('a run that does not exist', () => refused(['export', 'nobody'], /there is no run nobody/));

  it('a run without a network yet', async () => {
    await edited('begun', (texts) => texts.slice(0, 1));
    await refused(['export', 'begun', '--which', 'alpha'], /run begun has no network yet: its alpha is not trained/);
    await refused(['export', 'begun', '--format', 'tensorboard'], /run begun has no curves yet/);
    await edited('alpha-only', (texts) => texts.slice(0, 2));
    await refused(['predict', 'alpha-only', digit()], /no generation is closed; --which alpha/);
  });

  it('a run that ended without a network, with its reason', async () => {
    const fact = { type: 'diverged', what: 'search', reason: 'every loss stopped being a number' };
    await edited('diverged', (texts) => {
      const kept = texts.filter((text) => !/"type":"(tested|finished)"/.test(text));
      return [...kept, JSON.stringify({ seq: kept.length, meta: { at: '2026-01-31T12:00:00.000Z' }, fact })];
    });
    await refused(['export', 'diverged'], /run diverged ended without a network: every loss stopped being a number/);
  });

  it('weights that are gone', async () => {
    await edited('gone', (texts) => texts);
    await rm(inRun('gone', 'artifacts'), { recursive: true });
    await refused(['export', 'gone'], /run gone: the weights of best are not in .*artifacts.*restore/);
  });

  it('a folder that cannot be written in', async () => {
    await writeFile(join(workplace.folder, 'taken'), '');
    await refused(
      ['export', 'tiny', '--out', join(workplace.folder, 'taken', 'x')],
      /export folder .*--out names another/,
    );
  });

  it('images that are none, by name', async () => {
    await writeFile(join(workplace.folder, 'text.jpg'), 'no picture');
    await refused(['predict', 'tiny', digit(), join(workplace.folder, 'text.jpg')], /text\.jpg: cannot be decoded/);
    await refused(['predict', 'tiny', join(workplace.folder, 'none.jpg')], /none\.jpg: cannot be read: ENOENT/);
    await mkdir(join(workplace.folder, 'folder.jpg'));
    await refused(['predict', 'tiny', join(workplace.folder, 'folder.jpg')], /folder\.jpg: cannot be read: EISDIR/);
  });

  it.each([
    [['predict', 'tiny'], /missing required argument 'image'/],
    [['predict', 'tiny', 'x.png', '--top', '0'], /--top.*whole number from 1/],
    [['export', 'tiny', '--format', 'onnx'], /--format.*safetensors, tfjs, tensorboard/],
    [['export', 'tiny', '--which', 'worst'], /--which.*best, alpha/],
  ])('%j', (args, says) => refused(args, says));
});
