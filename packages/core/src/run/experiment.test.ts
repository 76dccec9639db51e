import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { InputError } from '../errors.js';
import { exampleExperiment } from './example.fixture.js';
import { formatExperiment, loadExperiment } from './experiment-file.js';
import { parseExperiment } from './parse-experiment.js';

const parse = (changes: Record<string, unknown>) =>
  parseExperiment({ ...exampleExperiment(), ...changes }, 'file.yaml');

describe('parseExperiment', () => {
  it('fills in the defaults that the documentation gives', () => {
    const experiment = parse({});
    expect(experiment.evolution).toEqual({
      populationSize: 4,
      generations: 2,
      crossoverProbability: 0.9,
      mutationProbability: 0.1,
      crossover: 'uniform',
      linkage: 'average',
      suppression: true,
      reevaluateSurvivors: false,
      initialRetainProbability: 0.5,
      inherit: 'none',
      stopBelowMedian: [],
    });
    expect(experiment.retrain).toMatchObject({
      schedule: 'cosine',
      batchSize: 128,
      momentum: 0.9,
      weightDecay: 5e-4,
      weights: 'last',
    });
    expect(experiment.fitness).toBe('validation');
    expect(experiment.runtime).toEqual({ threads: 1, precision: 'float32' });
  });

  it.each([
    ['an unknown key', { speed: 9 }, /\(top level\): does not know "speed"/],
    ['an unknown key inside', { model: { name: 'resnet8', depth: 3 } }, /model: does not know "depth"/],
    [
      'eta0 equal to eta1',
      { retrain: { epochs: 1, learningRateRetained: 0.1, learningRateReinitialised: 0.1 } },
      /retrain.learningRateRetained: is 0.1, but Eq. 5/,
    ],
    [
      'eta0 above eta1',
      { retrain: { epochs: 1, learningRateRetained: 0.2, learningRateReinitialised: 0.1 } },
      /retrain.learningRateRetained/,
    ],
    [
      'a model that does not exist',
      { model: { name: 'resnet9' } },
      /model.name: is "resnet9": give one of resnet8, .*\. Did you mean resnet8\?/,
    ],
    [
      'a first rung that is a whole retraining',
      {
        evolution: { successiveHalving: { firstEpochs: 3 } },
        retrain: { epochs: 3, learningRateRetained: 0.01, learningRateReinitialised: 0.1 },
      },
      /evolution.successiveHalving.firstEpochs: is not below retrain.epochs/,
    ],
    [
      'two rules that end retrainings',
      {
        evolution: { successiveHalving: { firstEpochs: 1 }, stopBelowMedian: [0.5] },
        retrain: { epochs: 3, learningRateRetained: 0.01, learningRateReinitialised: 0.1 },
      },
      /evolution.successiveHalving: ends retrainings by a rule of its own: leave evolution.firstEpochs and/,
    ],
    [
      'rungs without generations',
      {
        evolution: { successiveHalving: { firstEpochs: 1 }, steadyStateLag: 2 },
        retrain: { epochs: 3, learningRateRetained: 0.01, learningRateReinitialised: 0.1 },
      },
      /evolution.steadyStateLag: takes results one by one/,
    ],
    ['a missing section', { model: undefined }, /model: is missing: give keys: name/],
    [
      'a missing section that the method goes by',
      { retrain: undefined },
      /retrain.epochs: is missing, and method.name ne-sgd needs it: give a whole number of 1 or more\n {2}retrain.learningRateRetained: .*\n {2}retrain.learningRateReinitialised: /,
    ],
    [
      'an alpha without a length, from which the method starts',
      { alpha: { learningRate: 0.1 } },
      /alpha.epochs: is missing, and method.name ne-sgd needs it/,
    ],
    [
      'a fraction of an epoch',
      { alpha: { epochs: 1.5, learningRate: 0.1 } },
      /alpha.epochs: is 1.5: give a whole number of 1 or more/,
    ],
    [
      'a misspelt key of alpha',
      { alpha: { epochs: 1, learningRate: 0.1, momentun: 0.9 } },
      /alpha: does not know "momentun"; did you mean alpha.momentum\? docs\/experiments.md lists the keys/,
    ],
    [
      'a key of elsewhere',
      { populationSize: 4 },
      /does not know "populationSize"; did you mean evolution.populationSize\?/,
    ],
    [
      'a key in another spelling',
      { alpha: { epochs: 1, learning_rate: 0.1 } },
      /alpha: does not know "learning_rate"; did you mean alpha.learningRate\?/,
    ],
    [
      'a misspelt value',
      { fitness: 'validaton' },
      /fitness: is "validaton": give one of validation, test. Did you mean v/,
    ],
    ['a text for a number', { seed: 'one' }, /seed: is "one": give a whole number of 0 or more\n?$/],
    [
      'a number at the end of its range, which does not belong to it',
      { dataset: { name: 'mnist', validationFraction: 1 } },
      /dataset.validationFraction: is 1: give a number of 0 or more and below 1/,
    ],
    [
      'an item of a list',
      { alpha: { epochs: 1, learningRate: 0.1, milestones: [0.5, 2] } },
      /alpha.milestones.1: is 2: give a number from 0 to 1/,
    ],
    [
      'a text for true or false',
      { evolution: { populationSize: 4, generations: 1, suppression: 'on' } },
      /give true or false/,
    ],
    ['an empty path', { alpha: { from: '' } }, /alpha.from: is "": give a text that is not empty/],
    [
      'an alpha that is both trained and taken from a file',
      { alpha: { from: 'a.safetensors', epochs: 3, learningRate: 0.1 } },
      /alpha: from and the other keys \(here epochs, learningRate\) exclude one another: .*Give from alone, or leave it out/,
    ],
    ['an alpha that is neither', { alpha: 3 }, /alpha: is 3: give keys: learningRate, or keys: from/],
    ['an alpha file that is no text', { alpha: { from: 3 } }, /alpha.from: is 3: give a text/],
    [
      'a population of one',
      { evolution: { populationSize: 1, generations: 1 } },
      /evolution.populationSize: is 1: give a whole number of 2 or more/,
    ],
    [
      'a probability above 1',
      { evolution: { populationSize: 4, generations: 1, mutationProbability: 2 } },
      /evolution.mutationProbability: is 2: give a number from 0 to 1/,
    ],
    [
      'no validation images for a validation fitness',
      { dataset: { name: 'mnist', validationFraction: 0 } },
      /dataset.validationFraction: is 0/,
    ],
    [
      'a name that is no file name',
      { name: '../up' },
      /name: is "..\/up": give up to 64 letters, digits, .* with a letter or digit first/,
    ],
    [
      'an average beside the best epoch',
      {
        retrain: {
          epochs: 3,
          learningRateRetained: 0.01,
          learningRateReinitialised: 0.1,
          averageLast: 2,
          weights: 'best',
        },
      },
      /retrain\.averageLast: averages the last epochs, but weights: best/,
    ],
  ])('refuses %s and names the key', (_, changes, message) => {
    expect(() => parse(changes)).toThrow(InputError);
    expect(() => parse(changes)).toThrow(message);
    expect(() => parse(changes)).toThrow(/^file.yaml is not a valid experiment/);
  });

  it.each([
    ['sgd', { alpha: { epochs: 2, learningRate: 0.1 } }],
    ['sgd', { alpha: { learningRate: 0.1 }, method: { name: 'sgd', sgd: { epochs: 2 } } }],
    ['esgd', { alpha: { learningRate: 0.1 } }],
    ['pbt', { alpha: { learningRate: 0.1 } }],
    ['sgd-restarts', { retrain: { epochs: 1 }, method: { name: 'sgd-restarts', sgdRestarts: { learningRate: 0.1 } } }],
    ['random-masks', { evolution: undefined }],
  ])('method %s needs nothing but what it goes by: %j', (name, changes) => {
    const unused = name === 'random-masks' ? {} : { retrain: undefined, evolution: undefined };
    expect(parse({ ...unused, method: { name }, ...changes }).method.name).toBe(name);
    expect(() => parse({ ...unused, method: { name }, ...changes, alpha: { epochs: 1 } })).toThrow(
      /alpha.learningRate/,
    );
  });

  it('names the flag that chose a method whose keys are not there', () => {
    const alone = { ...exampleExperiment(), retrain: undefined, method: { name: 'pbt' } };
    const flags = [{ key: 'method.name', text: '--set method.name=ne-sgd' }];
    expect(() => parseExperiment({ ...alone, method: { name: 'ne-sgd' } }, 'file.yaml', flags)).toThrow(
      /--set method.name=ne-sgd: retrain.epochs: is missing, and method.name ne-sgd needs it/,
    );
  });

  it('reports every fault at once', () => {
    expect(() => parse({ seed: -1, model: { name: 'x' } })).toThrow(/seed: [^\n]*\n {2}model.name: /);
  });

  it('takes no validation images where fitness is test accuracy, the way of the paper', () => {
    expect(parse({ fitness: 'test', dataset: { name: 'mnist', validationFraction: 0 } }).fitness).toBe('test');
  });
});

describe('loadExperiment', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nesgd-experiment-'));
    path = join(folder, 'x.yaml');
    await writeFile(path, JSON.stringify(exampleExperiment()));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('--set reaches each key by its path, also one that the file leaves out', async () => {
    const set = ['retrain.epochs=7', 'runtime.threads=2', 'dataset.augmentation={padCrop: 4}', 'seed=5'];
    const experiment = await loadExperiment(path, { set });
    expect(experiment.retrain?.epochs).toBe(7);
    expect(experiment.runtime.threads).toBe(2);
    expect(experiment.dataset.augmentation.padCrop).toBe(4);
    expect(experiment.seed).toBe(5);
  });

  it('makes relative paths absolute: a run may be resumed from another folder', async () => {
    const { dataset, alpha } = await loadExperiment(path, { dataPath: 'data', set: ['alpha={from: a.safetensors}'] });
    expect(dataset.path).toBe(resolve('data'));
    expect(alpha).toEqual({ from: resolve('a.safetensors') });
  });

  it('formatExperiment: writes a file that loads as the same experiment', async () => {
    const experiment = await loadExperiment(path, { dataPath: '/some where: #1', set: ['retrain.epochs=7'] });
    await writeFile(path, formatExperiment(experiment, 'a comment'));
    expect(await loadExperiment(path)).toEqual(experiment);
  });

  it('--set profile=NAME lays that profile over the file, key by key; other --set go over it; without it none holds', async () => {
    const profiles = { small: { retrain: { epochs: 2 }, dataset: { trainImages: 100 } } };
    await writeFile(path, JSON.stringify({ ...exampleExperiment(), profiles }));
    const plain = await loadExperiment(path);
    expect(plain.retrain?.epochs).toBe(1);
    const small = await loadExperiment(path, { set: ['seed=9', 'profile=small', 'dataset.trainImages=50'] });
    expect(small.retrain).toEqual({ ...plain.retrain, epochs: 2 });
    expect(small.dataset.trainImages).toBe(50);
    expect(small.seed).toBe(9);
  });

  it('refuses a profile that the file has not, what is no profile, and a wrong key in one', async () => {
    await expect(loadExperiment(path, { set: ['profile=small'] })).rejects.toThrow(/no such profile \(it has: none\)/);
    await writeFile(path, JSON.stringify({ ...exampleExperiment(), profiles: { a: {}, b: 3 } }));
    await expect(loadExperiment(path)).rejects.toThrow(/profiles wants .*\(at b\)/);
    await writeFile(path, JSON.stringify({ ...exampleExperiment(), profiles: { a: { retrain: { epoch: 3 } } } }));
    await expect(loadExperiment(path, { set: ['profile=b'] })).rejects.toThrow(/it has: a/);
    await expect(loadExperiment(path, { set: ['profile=a'] })).rejects.toThrow(InputError);
  });

  it('an expectation goes when --set or a profile names another network, data set or method, and not otherwise', async () => {
    const expectation = { source: 'Table IV', testAccuracy: 0.9, maximum: 0.95 };
    const profiles = { other: { model: { name: 'resnet14' } }, small: { retrain: { epochs: 2 } } };
    await writeFile(path, JSON.stringify({ ...exampleExperiment(), expectation, profiles }));
    const expected = async (...set: string[]) => (await loadExperiment(path, { set })).expectation;
    for (const assignment of [
      'model.name=resnet14',
      'model={name: resnet14}',
      'dataset.name=fashion-mnist',
      'method.name=sgd',
      'profile=other',
    ]) {
      expect(await expected(assignment), assignment).toBeUndefined();
    }
    const same = ['model.name=resnet8', 'dataset.name=mnist', 'method.name=ne-sgd', 'dataset.trainImages=50'];
    for (const assignment of [...same, 'profile=small']) {
      expect(await expected(assignment), assignment).toEqual(expectation);
    }
    expect((await loadExperiment(path, { dataPath: '/somewhere' })).expectation).toEqual(expectation);

    const other = 'model.name=resnet14';
    const own = ['expectation.source=elsewhere', 'expectation.median=0.8'];
    expect(await expected(...own, other)).toEqual({ source: 'elsewhere', median: 0.8 });
    expect(await expected(...own)).toEqual({ ...expectation, source: 'elsewhere', median: 0.8 });
    await expect(expected(other, 'expectation.median=0.8')).rejects.toThrow(/expectation.source: is missing/);
  });

  it('--data sets dataset.path', async () => {
    expect((await loadExperiment(path, { dataPath: '/somewhere' })).dataset.path).toBe('/somewhere');
  });

  it.each([
    ['retrain.epoch=7', /^--set retrain.epoch=7: retrain: does not know "epoch"; did you mean retrain.epochs\?/],
    ['alpha.from=a', /^--set alpha.from=a: alpha: from and the other keys \(here epochs, learningRate\) exclude/],
    ['model={name: x}', /^--set model={name: x}: model.name: is "x"/],
    [
      'retrain.learningRateReinitialised=0.001',
      /^--set retrain.learningRateReinitialised=0.001: retrain.learningRateRetained:/,
    ],
    ['dataset.validationFraction=0', /^--set dataset.validationFraction=0: dataset.validationFraction: is 0/],
    ['retrain', /--set retrain: wants key=value/],
    ['=3', /wants key=value/],
    ['a..b=3', /wants key=value/],
    ['seed.x=3', /seed is 1, which has no keys/],
    ['__proto__.polluted=1', /wants key=value/],
    ['seed=[', /^--set seed=\[: the value is not valid YAML: /],
    [
      `seed=${'['.repeat(500)}`,
      /: the value cannot be read as YAML: its brackets or lists are nested more than 100 deep/,
    ],
    ['seed=*nowhere', /: the value cannot be read as YAML: /],
  ])('refuses --set %s', async (assignment, message) => {
    await expect(loadExperiment(path, { set: [assignment] })).rejects.toThrow(message);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });

  it('names the flags for what they set, and the file for the rest', async () => {
    await writeFile(path, JSON.stringify({ ...exampleExperiment(), seed: -1, fitness: 'x' }));
    const set = ['seed=-2', 'seed=-3', 'retrain.momentum=2'];
    await expect(loadExperiment(path, { set, dataPath: '' })).rejects.toThrow(
      [
        'the experiment is not valid:',
        '--set seed=-3: seed: is -3: give a whole number of 0 or more',
        '--data : dataset.path: is "": give a text that is not empty',
        '--set retrain.momentum=2: retrain.momentum: is 2: give a number of 0 or more and below 1',
        `${path}: fitness: is "x": give one of validation, test`,
      ].join('\n  '),
    );
  });

  it('does not blame a flag for a key of the file that is like the one that it set', async () => {
    await writeFile(path, JSON.stringify({ ...exampleExperiment(), sed: 1 }));
    await expect(loadExperiment(path, { set: ['seed=1'] })).rejects.toThrow(/x.yaml is not a valid experiment/);
  });

  it('names the file that is missing, and the line that is not YAML', async () => {
    await expect(loadExperiment(join(folder, 'none.yaml'))).rejects.toThrow(/none.yaml/);
    await writeFile(path, 'name: x\nseed: [1\n');
    await expect(loadExperiment(path)).rejects.toThrow(/x.yaml is not valid YAML.*line/s);
    await writeFile(path, '');
    await expect(loadExperiment(path)).rejects.toThrow(/holds no keys/);
  });
});
