import { writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { readJournal } from '@nesgd/core/run';
import { findBrokerBinary, startBroker } from '@nesgd/core/runtime';
import { defaultCacheRoot } from '@nesgd/core/storage';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { imageFiles, tarOf } from '../../packages/core/src/datasets/test-support.js';
import { type Cli, childrenOf, isAlive, until, Workplace, writeExperiment } from '../support/cli.js';
import { listing } from '../support/listing.js';
import { tinyExperiment } from '../support/tiny.js';

/** Ctrl-C and SIGTERM: exit code 130 wherever the run stands, nothing left running, and a word on how to go on. */
let workplace: Workplace;
let long: string;

beforeAll(async () => {
  workplace = await Workplace.create();
  const endless = { epochs: 1000, learningRate: 0.01, batchSize: 16 };
  long = await writeExperiment(join(workplace.folder, 'long.yaml'), tinyExperiment({ alpha: endless }));
});
afterAll(() => workplace.destroy());

const alphaTrains = (cli: Cli) => until('alpha trains', async () => /alpha: epoch 1\//.test(cli.stderr));

/** Workers and trainers: the children of a process and theirs. */
async function offspringOf(pid: number): Promise<number[]> {
  const children = await childrenOf(pid, '');
  return [...children, ...(await Promise.all(children.map(offspringOf))).flat()];
}

describe('a run that is told to stop', () => {
  it.each([
    ['SIGINT', 'local'],
    ['SIGTERM', 'auto'],
  ] as const)(
    'by %s while alpha trains exits with 130 and leaves nobody running (--broker %s)',
    async (signal, broker) => {
      const cli = workplace.start(['run', long, '--broker', broker, '--workers', '1', '--run-id', signal]);
      await alphaTrains(cli);
      const offspring = await offspringOf(cli.child.pid as number);
      expect(offspring.length).toBeGreaterThan(0);
      cli.child.kill(signal);
      expect(await cli.exited).toEqual({ code: 130, signal: null });
      expect(cli.stderr).toMatch(new RegExp(`"node \\S+nesgd\\.mjs resume ${signal}" goes on`));
      await until(
        'all its processes are gone',
        async () => !(await Promise.all(offspring.map(isAlive))).includes(true),
      );
      const { lines } = await readJournal(join(workplace.runs, signal, 'journal.jsonl'));
      expect(lines.map(({ fact }) => fact.type)).toEqual(['opened']);
    },
  );

  it('says how to go on with a run that is elsewhere, by a command that does so when it is pasted', async () => {
    const cli = workplace.start([
      'run',
      long,
      '--broker',
      'local',
      '--workers',
      '1',
      '--run-id',
      'r',
      '--runs',
      "my other 'runs'",
    ]);
    await alphaTrains(cli);
    cli.child.kill('SIGINT');
    await cli.exited;
    const [, command = ''] = /"(.*)" goes on\n/.exec(cli.stderr) ?? [];
    const pasted = workplace.paste(command);
    await until('it has gone on', async () => /resuming run r of/.test(pasted.stderr));
    pasted.child.kill('SIGINT');
    expect(await pasted.exited, pasted.stderr).toEqual({ code: 130, signal: null });
    expect(pasted.stderr).toContain(`"${command}" goes on`);
  });

  it('while its data set is packed exits with 130, and neither run nor data set are there', async () => {
    const [image] = Object.values(await imageFiles());
    const names = Array.from(
      { length: 20_000 },
      (_, i) => `${i % 4 ? 'train' : 'test'}/${i % 2 ? 'cat' : 'dog'}/${i}.png`,
    );
    await writeFile(
      join(workplace.folder, 'many.tar'),
      tarOf(Object.fromEntries(names.map((name) => [name, image as Buffer]))),
    );
    const before = [
      ...(await listing(workplace.runs)),
      ...(await listing(join(workplace.env.NESGD_CACHE as string, 'datasets'))),
    ];
    const cli = workplace.start(['run', long, '--broker', 'local', '--set', 'dataset={name: custom, path: many.tar}']);
    await until('it reads', async () => /reading data set custom/.test(cli.stderr));
    cli.child.kill('SIGINT');
    expect(await cli.exited).toEqual({ code: 130, signal: null });
    expect(cli.stderr).toContain('stopped before any work began');
    const after = [
      ...(await listing(workplace.runs)),
      ...(await listing(join(workplace.env.NESGD_CACHE as string, 'datasets'))),
    ];
    expect(after).toEqual(before);
  });

  it('while a broker says nothing exits with 130', async () => {
    let accepted = false;
    const server = createServer(() => {
      accepted = true;
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const cli = workplace.start([
      'run',
      long,
      '--broker',
      `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ]);
    await until('it is connected', async () => accepted);
    cli.child.kill('SIGINT');
    expect(await cli.exited).toEqual({ code: 130, signal: null });
    server.close();
  });

  it('while its broker takes no job exits with 130', async () => {
    const broker = await startBroker(findBrokerBinary(defaultCacheRoot(process.env), process.env) as string);
    const client = new Redis(broker.url);
    try {
      await client.call('CLIENT', 'PAUSE', '3600000', 'WRITE');
      const cli = workplace.start(['run', long, '--broker', broker.url, '--workers', '0', '--run-id', 'paused']);
      await until('it sends the first', async () => /alpha: training the checkpoint/.test(cli.stderr));
      cli.child.kill('SIGINT');
      expect(await cli.exited, cli.stderr).toEqual({ code: 130, signal: null });
      expect(cli.stderr).toContain('resume paused" goes on');
    } finally {
      client.disconnect();
      await broker.stop();
    }
  });

  it('twice does not wait for a worker that hangs', async () => {
    const cli = workplace.start(['run', long, '--workers', '1', '--run-id', 'twice']);
    await alphaTrains(cli);
    const offspring = await offspringOf(cli.child.pid as number);
    const [worker] = await childrenOf(cli.child.pid as number, 'worker/dist/main.js');
    process.kill(worker as number, 'SIGSTOP');
    cli.child.kill('SIGINT');
    await until('it says that it is stopping', async () => /asked again, it ends at once/.test(cli.stderr));
    cli.child.kill('SIGINT');
    expect(await cli.exited).toEqual({ code: 130, signal: null });
    expect(await isAlive(worker as number)).toBe(true);
    process.kill(worker as number, 'SIGCONT');
    await until('all its processes are gone', async () => !(await Promise.all(offspring.map(isAlive))).includes(true));
  });

  it('the moment its jobs begin to be sent exits with 130 and leaves nobody running', async () => {
    const many = ['--set', 'evolution.populationSize=40', '--set', 'alpha.epochs=1'];
    const cli = workplace.start(['run', long, ...many, '--workers', '1', '--run-id', 'sending']);
    await alphaTrains(cli);
    const offspring = await offspringOf(cli.child.pid as number);
    expect(offspring.length, 'a worker, its trainer, the guardian of the broker, the broker').toBeGreaterThanOrEqual(4);
    // No polling: 40 jobs are sent within some milliseconds of that line.
    cli.child.stderr?.on('data', () => {
      if (/generation 0\/2: \d+ individuals to retrain/.test(cli.stderr) && !cli.child.killed) cli.child.kill('SIGINT');
    });
    expect(await cli.exited, cli.stderr).toEqual({ code: 130, signal: null });
    await until('all its processes are gone', async () => !(await Promise.all(offspring.map(isAlive))).includes(true));
  });

  it.each(['local', 'auto'])('with more jobs waiting than workers exits with 130 (--broker %s)', async (broker) => {
    const many = ['--set', 'evolution.populationSize=40', '--set', 'alpha.epochs=1'];
    const cli = workplace.start([
      'run',
      long,
      ...many,
      '--broker',
      broker,
      '--workers',
      '1',
      '--run-id',
      `many-${broker}`,
    ]);
    await until('the first is measured', async () => /[01]{5} .* 1\/\d\d\n/.test(cli.stderr));
    cli.child.kill('SIGINT');
    expect(await cli.exited, cli.stderr).toEqual({ code: 130, signal: null });
    expect(cli.stderr).not.toMatch(/warning/i);
  });
});

it('a run whose workers cannot live fails and says where their logs are', async () => {
  const cli = workplace.start(['run', long, '--workers', '1', '--run-id', 'sick'], { NESGD_LOCK_DURATION_MS: 'soon' });
  expect(await cli.exited).toEqual({ code: 1, signal: null });
  expect(cli.stderr).toMatch(/none of this run's workers stays alive: their logs in .*sick\/logs say why/);
});
