import { cp, mkdir, readFile, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { idxFiles, imageFiles, tarOf, writeFiles } from '../../packages/core/src/datasets/test-support.js';
import { until, Workplace, writeExperiment } from '../support/cli.js';
import { listing } from '../support/listing.js';
import { tinyExperiment } from '../support/tiny.js';

/**
 * What is wrong with the input is said before any work: an exit code, a message with what, where and what would be
 * right, nothing on standard output, and not one file more or less in the runs and the cache.
 */
let workplace: Workplace;
let tiny: string;

const file = (name: string) => join(workplace.folder, name);
const run = (...args: string[]) => ['run', tiny, '--broker', 'local', ...args];
/** A sound data set that no run has read: what is refused with it was refused before that work. */
const unread = ['--set', 'dataset={name: fashion-mnist, validationFraction: 0.5}', '--data', 'unread'];

interface Refusal {
  readonly code?: 1 | 2;
  readonly says: RegExp | readonly RegExp[];
  readonly env?: NodeJS.ProcessEnv;
}

async function refused(args: readonly string[], { code = 2, says, env }: Refusal): Promise<void> {
  // Where another run stands, its own process goes on writing down.
  const state = async () =>
    [...(await listing(workplace.runs)), ...(await listing(workplace.env.NESGD_CACHE as string))].filter(
      (entry) => !entry.includes('/going/live.json'),
    );
  const before = await state();
  const cli = workplace.start(args, env);
  const exit = await cli.exited;
  for (const pattern of [says].flat()) expect(cli.stderr).toMatch(pattern);
  expect(cli.stderr).not.toMatch(/unexpected:|\n {4}at /);
  expect(exit).toEqual({ code, signal: null });
  expect(cli.stdout).toBe('');
  expect(await state()).toEqual(before);
}

beforeAll(async () => {
  workplace = await Workplace.create();
  tiny = await writeExperiment(
    file('tiny.yaml'),
    tinyExperiment({ evolution: { populationSize: 2, generations: 0 }, model: { name: 'resnet8' } }),
  );
  await workplace.start(run('--run-id', 'done', '--json')).summary();
  const digits = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9];
  await writeFiles(file('unread'), idxFiles([...digits, ...digits], digits, 28));
});
afterAll(() => workplace.destroy());

describe('the experiment', () => {
  it.each<[string, string[], RegExp[]]>([
    [
      'an unknown key',
      ['--set', 'retrain.epoch=2'],
      [/--set retrain\.epoch=2: retrain: does not know "epoch"; did you mean retrain\.epochs\?/, /docs\/experiments/],
    ],
    [
      'eta0 equal to eta1',
      ['--set', 'retrain.learningRateRetained=0.1'],
      [
        /--set retrain\.learningRateRetained=0\.1: retrain\.learningRateRetained: is 0\.1, but .*below learningRateReinitialised \(eta1 = 0\.1\)/,
      ],
    ],
    ['--set without a value', ['--set', 'seed'], [/--set seed: wants key=value/]],
    [
      '--set into the prototype of objects',
      ['--set', '__proto__.seed=1'],
      [/--set __proto__\.seed=1: wants key=value/],
    ],
    [
      'a batch that the training images do not fill',
      ['--set', 'retrain.batchSize=481'],
      [
        /--set retrain\.batchSize=481: retrain\.batchSize: a batch of 481 images .* there are 480 training images; lower it or raise/,
      ],
    ],
    ['the same in alpha', ['--set', 'alpha.batchSize=481'], [/alpha\.batchSize: a batch of 481 images/]],
    [
      'more images than there are',
      ['--set', 'dataset.trainImages=60001'],
      [/dataset\.trainImages: asks for 60001 images, but the data set has 60000/],
    ],
  ])('refuses %s', (_, args, says) => refused(run(...args), { says }));

  it('refuses an unknown key of the file itself, naming the file', async () => {
    const path = await writeExperiment(file('misspelt.yaml'), { ...tinyExperiment(), sead: 1 });
    const says =
      /misspelt\.yaml is not a valid experiment:\n {2}\(top level\): does not know "sead"; did you mean seed\?/;
    await refused(['run', path, '--set', 'fitness=test'], { says });
  });

  it('refuses a file that is not there, is a folder, or is no YAML', async () => {
    await refused(['run', file('none.yaml')], { says: /cannot read the experiment file .*none\.yaml: .*ENOENT/ });
    await refused(['run', workplace.folder], { says: /cannot read the experiment file .*EISDIR/ });
    await writeFile(file('broken.yaml'), 'name: x\nseed: [1\n');
    await refused(['run', file('broken.yaml')], { says: /broken\.yaml is not valid YAML: .*line 3/s });
  });
});

describe('the data set', () => {
  const custom = (path: string) => run('--set', 'dataset={name: custom, validationFraction: 0.2}', '--data', path);
  const labels = (count: number) => Array.from({ length: count }, (_, i) => i % 2);
  const whole = idxFiles(labels(8), labels(4));

  it('refuses a path where there is nothing', () =>
    refused(custom('nowhere'), { says: /--data nowhere: dataset\.path .*nowhere: there is no such file or folder/ }));

  it('refuses a file that is neither folder nor tar', () =>
    refused(custom(tiny), {
      says: /dataset\.path .*tiny\.yaml: is not a tar or tar\.gz; give one of those, or a folder/,
    }));

  it('refuses a folder without a data set, and says what a folder may hold', async () => {
    await mkdir(file('empty'));
    await refused(custom('empty'), {
      says: [/--data empty: dataset\.path .*empty: holds no data set/, /train-images-idx3-ubyte/],
    });
  });

  it('refuses an idx file that is cut short', async () => {
    const name = 'train-images-idx3-ubyte';
    await writeFiles(file('short-idx'), { ...whole, [name]: (whole[name] as Buffer).subarray(0, -3) });
    await refused(custom('short-idx'), {
      says: /--data short-idx: .*short-idx\/train-images-idx3-ubyte: is cut short: 45 bytes, but its header \(8x2x2\) wants 48/,
    });
  });

  it('refuses a gzipped idx file that is cut short', async () => {
    const { 'train-images-idx3-ubyte': images, ...others } = whole;
    const gzipped = gzipSync(images as Buffer);
    await writeFiles(file('short-gz'), { ...others, 'train-images-idx3-ubyte.gz': gzipped.subarray(0, -9) });
    await refused(custom('short-gz'), { says: /short-gz\/train-images-idx3-ubyte\.gz: is cut short or damaged/ });
  });

  it('refuses a tar that is cut short, gzipped or not', async () => {
    const tar = tarOf(await imageFiles());
    await writeFile(file('short.tar'), tar.subarray(0, 4096));
    await writeFile(file('short.tar.gz'), gzipSync(tar).subarray(0, -12));
    await refused(custom('short.tar'), { says: /short\.tar: is cut short, damaged or no tar/ });
    await refused(custom('short.tar.gz'), { says: /short\.tar\.gz: is cut short, damaged or no tar/ });
  });

  it('refuses a damaged image, naming it', async () => {
    const images = await imageFiles();
    await writeFiles(file('bad-image'), { ...images, 'train/dog/2.png': Buffer.from('no picture') });
    await refused(custom('bad-image'), { says: /bad-image\/train\/dog\/2\.png/ });
  });

  it('refuses a label out of range, saying which image has it', async () => {
    await writeFiles(file('label'), idxFiles(labels(8), [0, 1, 7]));
    await refused(custom('label'), {
      says: /t10k-labels-idx1-ubyte: label 7 of image 2 is out of range: .*labels go from 0 to 1/,
    });
  });

  it('refuses a data set that is not the one its name promises', async () => {
    await writeFiles(file('small'), whole);
    await refused(run('--data', 'small'), {
      says: /small holds 10 classes of 2x2x1 images .*, but mnist has 10 classes of 28x28x1/,
    });
  });
});

describe('an alpha from elsewhere', () => {
  const from = (path: string, ...more: string[]) => run('--set', `alpha={from: ${path}}`, ...more);
  const alpha = () => readFile(join(workplace.runs, 'done', 'alpha.safetensors'));

  it('refuses a file that is not there', () =>
    refused(from('none.safetensors', ...unread), {
      says: /--set alpha=\{from: none\.safetensors\}: alpha\.from: cannot read .*none\.safetensors: ENOENT/,
    }));

  it('refuses a file that is cut short', async () => {
    await writeFile(file('short.safetensors'), (await alpha()).subarray(0, -4));
    await refused(from('short.safetensors', ...unread), {
      says: /alpha\.from: .*short\.safetensors is no usable checkpoint: .*the file is cut short/,
    });
  });

  it('refuses a value that is no number, naming its tensor', async () => {
    const bytes = await alpha();
    bytes.writeFloatLE(Number.NaN, bytes.length - 4);
    await writeFile(file('nan.safetensors'), bytes);
    await refused(from('nan.safetensors'), {
      says: /nan\.safetensors is no usable checkpoint: value \d+ of \S+ is NaN/,
    });
  });

  it('refuses the weights of another network', async () => {
    await writeFile(file('resnet8.safetensors'), await alpha());
    await refused(from('resnet8.safetensors', '--set', 'model.name=resnet14'), {
      says: /it holds resnet8 for 28x28x1 images of 10 classes, and resnet14 .* is wanted/,
    });
  });

  it('refuses what is no safetensors file', () =>
    refused(from(tiny), { says: /tiny\.yaml is no usable checkpoint: .*not a safetensors file/ }));
});

describe('the broker', () => {
  const at = (broker: string) => ['run', tiny, '--broker', broker, ...unread];

  it('a port where nobody listens: exit 1', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    const says = new RegExp(`redis://127\\.0\\.0\\.1:${port} cannot be used .*ECONNREFUSED.*--broker local`);
    await refused(at(`redis://:hush@127.0.0.1:${port}`), { code: 1, says });
    await refused(['run', tiny, ...unread], { code: 1, says, env: { REDIS_URL: `redis://127.0.0.1:${port}` } });
  });

  it('a host that does not exist: exit 1', () =>
    refused(at('redis://nesgd.invalid:6379'), { code: 1, says: /redis:\/\/nesgd\.invalid:6379 cannot be used/ }));

  it('a port that accepts and never says a word: exit 1', async () => {
    const server = createServer(() => {}).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as AddressInfo;
    await refused(at(`redis://127.0.0.1:${port}`), { code: 1, says: /cannot be used \(it said nothing for 5 s\)/ });
    server.close();
  });

  it.each([
    ['--broker', 'redis//localhost', ['run', '--broker', 'redis//localhost'], {}],
    ['--broker', 'http://localhost', ['run', '--broker', 'http://localhost'], {}],
    ['--broker', 'redis://:%s@localhost:port', ['run', '--broker', 'redis://:hush@localhost:port'], {}],
    ['REDIS_URL', 'localhost', ['run'], { REDIS_URL: 'localhost' }],
    ['--broker of a worker', 'localhost', ['worker', '--broker', 'localhost'], {}],
    ['REDIS_URL of a worker', 'localhost', ['worker'], { REDIS_URL: 'localhost' }],
  ] as const)('no address in %s (%s): exit 2, and its password is not repeated', async (source, _, args, env) => {
    const [command, ...rest] = args;
    const variable = source.split(' ')[0] as string;
    await refused(command === 'run' ? ['run', tiny, ...rest, ...unread] : [command, ...rest], {
      says: [new RegExp(`${variable} [^:]*.*: wants .*redis://host:port`), /^(?!.*hush)/s],
      env,
    });
  });

  it('a worker that was told of none: exit 2', () =>
    refused(['worker'], { says: /set REDIS_URL, or give --broker redis:\/\/host:port/ }));
});

describe('the command line', () => {
  it.each<[string, string[], RegExp]>([
    ['an unknown command', ['frobnicate'], /unknown command 'frobnicate'.*--help/s],
    ['no command', [], /Usage: nesgd/],
    ['an unknown option', ['status', '--frob'], /unknown option '--frob'.*--help/s],
    ['a run without its file', ['run'], /missing required argument 'file'/],
    ['one argument too many', ['resume', 'a', 'b'], /too many arguments/],
    [
      'workers that are no number',
      ['resume', 'done', '--workers', 'many'],
      /--workers.*'many'.*whole number from 0 to 1024/,
    ],
    ['fewer workers than none', ['resume', 'done', '--workers', '-1'], /--workers.*whole number from 0 to 1024/],
    ['an engine that is none', ['run', 'x', '--engine', 'abacus'], /--engine.*'abacus'.*auto, tensorflow, wasm/],
  ])('refuses %s', (_, args, says) => refused(args, { says }));

  it('refuses a run of no workers where nobody else can join', () =>
    refused(run('--workers', '0', ...unread), { says: /--workers 0: without a broker nobody else can do the work/ }));

  it('refuses it too where the broker is started for this run alone', () =>
    refused(['run', tiny, '--workers', '0', ...unread], {
      says: /--workers 0: nobody else can join the broker that is started for this run alone: give 1 or more, or by --broker/,
    }));
});

describe('the run', () => {
  /** A copy of a finished run without its end, in which lines were edited by hand. */
  async function edited(id: string, edit: (lines: string[]) => string[], source = 'done'): Promise<void> {
    await cp(join(workplace.runs, source), join(workplace.runs, id), { recursive: true });
    const path = join(workplace.runs, id, 'journal.jsonl');
    const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
    // Who edits a line by hand takes its checksum away.
    const bare = lines.map((line) => line.replace(/,"sum":"\w+"\}$/, '}'));
    const unfinished = bare.filter((line) => !line.includes('"finished"'));
    await writeFile(path, `${edit(unfinished).join('\n')}\n`);
  }
  const resume = (id: string) => ['resume', id, '--broker', 'local'];

  it.each(['../up', ''])('refuses the id %j', (id) =>
    refused(run('--run-id', id, ...unread), { says: /run id ".*": wants up to 100 letters, digits/ }),
  );

  it('refuses the id of a finished run, and says how to go on', () =>
    refused(run('--run-id', 'done', ...unread), {
      says: /run done exists already .*"node \S+nesgd\.mjs resume done".*another --run-id/,
    }));

  it('refuses to run or resume what another process is working on, and names it', async () => {
    const first = workplace.start(run('--run-id', 'going', '--set', 'alpha.epochs=1000', '--workers', '1'));
    await until('alpha trains', async () => /alpha: epoch 1\//.test(first.stderr));
    await refused(run('--run-id', 'going', ...unread), { says: /run going exists already/ });
    await refused(resume('going'), {
      says: new RegExp(`run going is not paused: process ${first.child.pid} is working on it`),
    });
    first.child.kill('SIGINT');
    expect(await first.exited).toEqual({ code: 130, signal: null });
  });

  it('refuses to resume a run that does not exist, and names some that do', () =>
    refused(resume('nobody'), { says: /there is no run nobody in .*runs \(the latest here: .*done/ }));

  it('refuses a damaged line of the journal, with its number', async () => {
    await edited('torn', (lines) => lines.map((line, i) => (i === 1 ? line.slice(0, 40) : line)));
    await refused(resume('torn'), { says: /torn\/journal\.jsonl, line 2 is damaged \(not JSON\)/ });
  });

  it('refuses a mask with one bit too many, in an evaluation and in a generation', async () => {
    const evaluation = (line: string) => line.replace(/"mask":"(\d+)"/, '"mask":"1$1"');
    await edited('long-mask', (lines) => lines.map((line) => (line.includes('"evaluated"') ? evaluation(line) : line)));
    await refused(resume('long-mask'), {
      says: /long-mask\/journal\.jsonl, line 3: the mask 1\d{5} has 6 bits, but the model of this run has 5 blocks/,
    });
    const generation = (line: string) => line.replace(/"mask":\[/, '"mask":[1,');
    await edited('long-genome', (lines) =>
      lines.map((line) => (line.includes('"generation"') ? generation(line) : line)),
    );
    await refused(resume('long-genome'), { says: /journal\.jsonl, line \d+: the mask 1\d{5} has 6 bits/ });
  });

  it('refuses data that changed since the run began', async () => {
    const labels = [0, 1, 0, 1, 0, 1, 0, 1];
    const data = await writeFiles(file('changing'), idxFiles(labels, labels, 8));
    const custom = ['--set', 'dataset={name: custom, validationFraction: 0.5}', '--data', 'changing'];
    const batches = ['--set', 'alpha.batchSize=2', '--set', 'retrain.batchSize=2'];
    await workplace.start(run(...custom, ...batches, '--run-id', 'before', '--json')).summary();
    await edited('interrupted', (lines) => lines, 'before');
    await writeFiles(data, idxFiles([...labels].reverse(), labels, 8));
    await workplace.start(run(...custom, ...batches, '--run-id', 'after', '--json')).summary(); // Packs it.
    await refused(resume('interrupted'), {
      says: /run interrupted was started on other data: .*changing\) has changed since/,
    });
  });

  it.each(['', '/below'])('refuses a cache folder that is a file%s, before the data is read', async (below) => {
    const env = { NESGD_CACHE: `${tiny}${below}` };
    const says =
      /the cache folder .*tiny\.yaml\S* cannot be written in: .*tiny\.yaml is not a folder; NESGD_CACHE names another/;
    await refused(run('--engine', 'wasm', ...unread), { says, env });
    await refused(['worker', '--broker', 'redis://127.0.0.1:1'], { says, env });
  });

  it('refuses a folder of runs that is a file', () =>
    refused(run('--runs', tiny, ...unread), {
      says: /folder of runs .*tiny\.yaml cannot be written in: .*not a folder; --runs/,
    }));
});
