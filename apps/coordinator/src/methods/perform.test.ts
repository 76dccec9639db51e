import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Request } from '@nesgd/core/baselines';
import { NesgdError } from '@nesgd/core/errors';
import type { AlphaTraining, TrainJob } from '@nesgd/core/protocol';
import { createRun, type RunFolder } from '@nesgd/core/run';
import { cacheFolder } from '@nesgd/core/storage';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { RunEvent } from '../run-events.js';
import { simulatedRun } from '../simulate/simulated-run.js';
import { journalledPerform } from './perform.js';

const IMAGES = 100;
const died = new NesgdError('TRAINER_DIED', 'the trainer process was killed by SIGKILL', true);
let folder: string;
let run: RunFolder;
let sent: { stream: string; epochs: number; initialStream?: string }[];
let events: RunEvent[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nesgd-perform-'));
  const opened = simulatedRun({ seed: 1, populationSize: 2, generations: 1, blocks: 5 });
  run = await createRun(folder, { ...opened, experiment: { ...opened.experiment, budget: 6 * IMAGES } });
  sent = [];
  events = [];
});
afterEach(async () => {
  await run.close();
  await rm(folder, { recursive: true });
});

/** Trainings by what becomes of them: an accuracy or an error. */
function performWith(fates: Record<string, number | Error>, changes: Partial<AlphaTraining> = {}, requestsARound = 1) {
  const conduct = {
    run,
    cache: cacheFolder(join(folder, 'cache')),
    trainImages: IMAGES,
    watch: (event: RunEvent) => void events.push(event),
    signal: new AbortController().signal,
    dispatcher: {
      async dispatch(job: TrainJob) {
        const { epochs } = job.training;
        const { stream, initialStream } = job;
        sent.push({ stream, epochs, ...(initialStream && { initialStream }) });
        const fate = fates[job.stream] ?? 0.5;
        if (fate instanceof Error) throw fate;
        const result = { accuracy: fate, curve: [], weights: null, imagesTrained: epochs * IMAGES };
        return { result, provenance: { worker: 'w', engine: 'e', seconds: 1 } };
      },
    },
  } as unknown as Parameters<typeof journalledPerform>[0];
  return journalledPerform(conduct, {
    settings: { ...(run.opened.experiment.alpha as AlphaTraining), ...changes },
    rounds: 3,
    requestsARound,
  });
}
const training = (id: string): Request => ({
  kind: 'train',
  id,
  weights: null,
  epochs: 2,
  hyperparameters: { learningRate: 0.1, momentum: 0.9, weightDecay: 0 },
  schedule: 'whole',
  keepWeightsAbove: null,
});
const facts = () => run.journal.lines.flatMap(({ fact, meta }) => (fact.type === 'trained' ? [{ fact, meta }] : []));

it('perform: a training that every trainer died of is given up, as the worst, and the method goes on', async () => {
  const outcomes = await performWith({ b: died })(['a', 'b'].map(training));
  expect(outcomes).toEqual([
    { accuracy: 0.5, weights: null },
    { accuracy: 0, weights: null },
  ]);
  expect(facts()[1]).toMatchObject({
    fact: { id: 'b', failed: true, imagesTrained: 0, curve: [] },
    meta: { reason: 'the trainer process was killed by SIGKILL' },
  });
});

it('perform: one given up is charged like one that was trained, also when it is answered from the journal', async () => {
  for (const attempt of [1, 2]) {
    const perform = performWith({ b: died });
    await perform(['a', 'b'].map(training));
    await perform([training('c')]);
    expect(await perform([training('d')]), `attempt ${attempt}`).toEqual([undefined]);
  }
  expect(sent.map(({ stream }) => stream)).toEqual(['a', 'b', 'c']);
});

it('perform: of a method that asks twice a round, each two phases are of one round', async () => {
  const perform = performWith({}, {}, 2);
  for (const id of ['a', 'b', 'c']) await perform([training(id)]);
  const phases = events.flatMap((event) => (event.type === 'phase' ? [event.phase] : []));
  expect(phases).toEqual([1, 1, 2].map((t) => ({ name: 'generation', t, of: 3 })));
});

it('perform: a training that starts from the random weights of another says whose, and no other job does', async () => {
  await performWith({})([training('a'), { ...training('b'), initialOf: 'a' } as Request]);
  expect(sent).toEqual([
    { stream: 'a', epochs: 2 },
    { stream: 'b', epochs: 2, initialStream: 'a' },
  ]);
});

it('perform: nothing of the budget is set aside for averages of short pieces, which have none', async () => {
  const pieces = ['a', 'b', 'c'].map((id): Request => ({ ...training(id), schedule: 'constant' }) as Request);
  await performWith({}, { averageLast: 2 })(pieces);
  expect(sent.map(({ epochs }) => epochs)).toEqual([2, 2, 2]);
});

it('perform: a whole training that is averaged is charged the images of its statistics', async () => {
  await performWith({}, { averageLast: 2 })(['a', 'b', 'c'].map(training));
  expect(sent.map(({ epochs }) => epochs)).toEqual([2, 2]);
});

it.each([
  ['where nothing of the run was measured yet', ['b'], died],
  ['by an error that is no verdict on it', ['a', 'b'], new NesgdError('DISK_FULL', 'full')],
])('perform: %s, a failure ends the run and is no fact', async (_, ids, error) => {
  await expect(performWith({ b: error })(ids.map(training))).rejects.toBe(error);
  expect(facts().filter(({ fact }) => fact.failed)).toEqual([]);
});
