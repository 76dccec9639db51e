import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cardPlaces, placeEnvironment } from '@nesgd/core/machine';
import type { WorkerRecord } from '@nesgd/core/protocol';
import { findBrokerBinary, type RunningBroker, startBroker } from '@nesgd/core/runtime';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readWorkers } from '../../apps/coordinator/src/control/worker-register.js';
import { LocalWorkers } from '../../apps/coordinator/src/local-workers.js';
import { childrenOf, isAlive, until, Workplace, writeExperiment } from '../support/cli.js';
import { tinyExperiment } from '../support/tiny.js';

const CARDS = [
  { uuid: 'GPU-8932f937-d72c-4106-c12f-20bd9faed9f6', name: 'NVIDIA T4', memoryMb: 15360 },
  { uuid: 'GPU-8a56e4b0-184d-4f4e-b8a8-0b5c0f3c8a11', name: 'NVIDIA T4', memoryMb: 15360 },
];
const GROUP = fileURLToPath(new URL('../../apps/coordinator/dist/worker-group.js', import.meta.url));

let workplace: Workplace;
let tiny: string;
/** Here nvidia-smi lists two cards, which no program can use. */
let withCards: NodeJS.ProcessEnv;
let broker: RunningBroker;
let connection: Redis;

beforeAll(async () => {
  workplace = await Workplace.create();
  tiny = await writeExperiment(
    join(workplace.folder, 'tiny.yaml'),
    tinyExperiment({ evolution: { populationSize: 2, generations: 0 } }),
  );
  const programs = join(workplace.folder, 'programs');
  await mkdir(programs);
  const lines = CARDS.map(({ uuid, name, memoryMb }, i) => `echo '${i}, ${uuid}, ${name}, ${memoryMb}'`);
  await writeFile(join(programs, 'nvidia-smi'), `#!/bin/sh\n${lines.join('\n')}\n`, { mode: 0o755 });
  const { CUDA_VISIBLE_DEVICES: _, ...env } = workplace.env;
  withCards = { ...env, PATH: `${programs}${delimiter}${env.PATH}` };
  const binary = findBrokerBinary(workplace.env.NESGD_CACHE as string, process.env);
  if (!binary) throw new Error('this test needs a redis-server or valkey-server: "npm test" provisions one');
  broker = await startBroker(binary);
  connection = new Redis(broker.url, { maxRetriesPerRequest: null });
});
afterAll(async () => {
  connection.disconnect();
  await broker.stop();
  await workplace.destroy();
});

const environOf = async (pid: number) => (await readFile(`/proc/${pid}/environ`, 'utf8')).split('\0');
const records = () => readWorkers(connection);

describe('a card that nothing can compute on', () => {
  const WHY =
    /TensorFlow (is set up for processors alone, beside NVIDIA T4: ".*setup -- --gpu"|cannot use NVIDIA T4: )/;

  it('--device gpu is refused with what is missing, of a run and of a worker', async () => {
    for (const args of [
      ['run', tiny, '--device', 'gpu'],
      ['worker', '--broker', broker.url, '--device', 'gpu'],
    ]) {
      const cli = workplace.start(args, withCards);
      expect(await cli.exited).toEqual({ code: 2, signal: null });
      expect(cli.stderr).toMatch(/there is no card to compute on: /);
      expect(cli.stderr).toMatch(WHY);
    }
  });

  it('without the flag a run computes on the processor, and says why in a line', async () => {
    const cli = workplace.start(['run', tiny, '--broker', 'local', '--engine', 'tensorflow'], withCards);
    expect(await cli.exited).toEqual({ code: 0, signal: null });
    expect(cli.stderr.match(/device cpu: /g)).toHaveLength(1);
    expect(cli.stderr).toMatch(WHY);
  });

  it('a number of trainers a card that is none is refused', async () => {
    const args = ['worker', '--broker', broker.url, '--workers-per-device', '65'];
    const cli = workplace.start(args, withCards);
    expect((await cli.exited).code).toBe(2);
    expect(cli.stderr).toMatch(/wants a whole number from 1 to 64/);
  });
});

describe('workers on cards', () => {
  it('each of a run’s has one, is told of no other, and the broker knows which', async () => {
    const before = process.env.PATH;
    process.env.PATH = withCards.PATH;
    const workers = new LocalWorkers({
      count: 3,
      places: cardPlaces(CARDS, 3),
      prefix: 'card',
      redisUrl: broker.url,
      cacheRoot: workplace.env.NESGD_CACHE as string,
      logFolder: join(workplace.folder, 'logs'),
      watch: () => {},
    });
    process.env.PATH = before;
    const known = await until<WorkerRecord[]>('the workers are on the broker', async () => {
      const ours = (await records()).filter(({ name }) => name.startsWith('card-'));
      return ours.length === 3 && ours;
    });
    expect(known.map(({ card }) => card)).toEqual([CARDS[0], CARDS[1], CARDS[0]]);
    const environments = await Promise.all([...workers.pids.values()].map(environOf));
    for (const [i, card] of [CARDS[0], CARDS[1], CARDS[0]].entries())
      expect(environments[i]).toContain(`CUDA_VISIBLE_DEVICES=${card?.uuid}`);
    const shares = environments.map((environment) => environment.find((one) => one.startsWith('NESGD_CARD_MEMORY')));
    expect(shares).toEqual(['NESGD_CARD_MEMORY_SHARE=0.4544', undefined, 'NESGD_CARD_MEMORY_SHARE=0.4544']);
    await workers.close();
  });

  describe('of one "nesgd worker"', () => {
    let group: ChildProcess;
    const names = ['group-1', 'group-2'];
    const alive = async () => childrenOf(group.pid as number, 'worker/dist/main.js');
    const arePulsing = () =>
      until('both workers are on the broker', async () => {
        const there = (await records()).filter(({ name }) => names.includes(name));
        return there.length === 2 && there;
      });

    beforeAll(() => {
      const environments = cardPlaces(CARDS, 2).map((place, i) => ({
        ...placeEnvironment(place),
        REDIS_URL: broker.url,
        NESGD_PULSE_MS: '100',
        NESGD_WORKER_NAME: names[i],
      }));
      const script = `process.exitCode = await (await import(${JSON.stringify(GROUP)})).runWorkers(${JSON.stringify(environments)});`;
      group = spawn(process.execPath, ['--input-type=module', '-e', script], {
        env: withCards,
        stdio: ['ignore', 'ignore', 'inherit'],
      });
    });
    afterAll(() => void group.kill('SIGKILL'));

    it('one that dies is replaced, on the same card', async () => {
      const cardsOf = (there: WorkerRecord[]) => there.map(({ name, card }) => [name, card?.uuid]);
      const before = await arePulsing();
      const victim = before.find(({ name }) => name === 'group-2') as WorkerRecord;
      process.kill(victim.pid, 'SIGKILL');
      const after = await until('another worker has its place', async () => {
        const there = await arePulsing();
        return there.every(({ pid }) => pid !== victim.pid) && there;
      });
      expect(cardsOf(after)).toEqual(cardsOf(before));
      expect(await alive()).toHaveLength(2);
    });

    it('SIGTERM ends all of them in order, with exit code 0', async () => {
      const pids = await alive();
      const gone = once(group, 'exit');
      group.kill('SIGTERM');
      expect((await gone)[0]).toBe(0);
      for (const pid of pids) expect(await isAlive(pid)).toBe(false);
    });
  });
});
