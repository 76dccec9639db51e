import { readFile } from 'node:fs/promises';
import { prepareDataset } from '@nesgd/core/datasets';
import { type AlphaJob, type EvaluateJob, PROTOCOL_VERSION, type Runtime } from '@nesgd/core/protocol';
import { detectEngines } from '@nesgd/core/runtime';
import { cacheFolder, defaultCacheRoot } from '@nesgd/core/storage';
import { TrainerProcess } from '@nesgd/core/trainer';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Workplace } from '../support/cli.js';

/** A trainer stays warm for a week of jobs: what one of them leaves behind adds up. */
const JOBS = 40;
const MIB = 2 ** 20;

let workplace: Workplace;
let cacheRoot: string;

beforeAll(async () => {
  workplace = await Workplace.create();
  cacheRoot = workplace.env.NESGD_CACHE as string;
});
afterAll(() => workplace.destroy());

/** Bytes of a process that lie in memory: the second figure of statm, in pages of 4 KiB. */
async function residentBytes(pid: number): Promise<number> {
  const pages = Number((await readFile(`/proc/${pid}/statm`, 'utf8')).split(' ')[1]);
  return pages * 4096;
}

/** The upper one of an even number. */
const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] as number;

const usable = Object.entries(detectEngines(defaultCacheRoot(process.env))).filter(([, finding]) => finding.usable);

describe.each(usable.map(([name]) => name as Runtime['engine']))('trainer on %s', (engine) => {
  it(`holds no more memory after ${JOBS} jobs than halfway`, async () => {
    const augmentation = { padCrop: 2, horizontalFlip: true };
    const spec = { name: 'mnist', trainImages: 300, testImages: 100, validationFraction: 0.2, augmentation } as const;
    const { split } = await prepareDataset(spec, cacheFolder(cacheRoot).datasets);
    const common = {
      version: PROTOCOL_VERSION,
      runId: 'memory',
      seed: 1,
      runtime: { engine, threads: 1 },
      data: split,
      model: { name: 'resnet8', granularity: 'block' },
      measureOn: 'validation',
    } as const;
    const schedule = { schedule: 'cosine', milestones: [], gamma: 0.1 } as const;
    const optimisation = {
      ...schedule,
      epochs: 1,
      batchSize: 32,
      momentum: 0.9,
      weightDecay: 5e-4,
      weights: 'best',
    } as const;
    const alphaJob: AlphaJob = {
      ...common,
      kind: 'alpha',
      training: { ...optimisation, milestones: [], learningRate: 0.1 },
    };

    const trainer = await TrainerProcess.start({ runtime: common.runtime, cacheRoot });
    try {
      const { weights } = (await trainer.run(alphaJob)).result;
      const resident: number[] = [];
      for (let job = 0; job < JOBS; job++) {
        const evaluate: EvaluateJob = {
          ...common,
          kind: 'evaluate',
          alpha: weights as string,
          mask: (job % 32).toString(2).padStart(5, '0'),
          repeat: 0,
          keepWeightsAbove: null,
          training: { ...optimisation, milestones: [], learningRateRetained: 0.01, learningRateReinitialised: 0.1 },
        };
        await trainer.run(evaluate);
        resident.push(await residentBytes(trainer.pid));
      }
      // The first jobs warm allocators and compilers up. Two megabytes a job would be 26 between the two windows.
      const [halfway, end] = [median(resident.slice(15, 27)), median(resident.slice(28))];
      expect((end - halfway) / MIB, resident.map((bytes) => Math.round(bytes / MIB)).join(' ')).toBeLessThan(16);
    } finally {
      await trainer.stop();
    }
  });
});
