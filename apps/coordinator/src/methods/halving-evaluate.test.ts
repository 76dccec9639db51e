import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NesgdError } from '@nesgd/core/errors';
import { maskFromString } from '@nesgd/core/evolution';
import type { EvaluateJob } from '@nesgd/core/protocol';
import { canonicalFacts, type Dispatcher, type Fact, Journal, parseExperiment } from '@nesgd/core/run';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Budget } from '../budget.js';
import { journalledEvaluate } from '../evaluate.js';
import { inRungs } from './halving-evaluate.js';

/** Trainings of nine epochs, rungs after 1, 3 and 9; an accuracy is the share of ones times the share of epochs. */
const experiment = parseExperiment(
  {
    name: 'x',
    seed: 1,
    dataset: { name: 'mnist' },
    model: { name: 'resnet8' },
    alpha: { epochs: 1, learningRate: 0.1 },
    retrain: { epochs: 9, learningRateRetained: 0.01, learningRateReinitialised: 0.1 },
    evolution: { successiveHalving: { firstEpochs: 1 } },
  },
  'the test',
);
const MASKS = ['1000', '1111', '0000', '1110', '0011', '0111'].map(maskFromString);
const ones = (mask: string): number => [...mask].filter((bit) => bit === '1').length;
const accuracyAt = (mask: string, epochs: number): number => (ones(mask) / 4) * (epochs / 9);

let folder: string;
let journal: Journal;
let asked: string[];
let forgotten: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nesgd-halving-'));
  journal = await Journal.open(join(folder, 'journal.jsonl'));
  asked = [];
  forgotten = [];
});
afterEach(async () => {
  await journal.close();
  await rm(folder, { recursive: true });
});

function evaluateWith({ broken = '', images }: { broken?: string; images?: number } = {}) {
  const dispatcher: Dispatcher = {
    async dispatch(job) {
      const { mask, part } = job as EvaluateJob;
      const { from, until } = part!;
      asked.push(`${mask} ${from}-${until}`);
      if (`${mask} ${from}` === broken) throw new NesgdError('TRAINER_DIED', 'it died', true);
      const curve = Array.from({ length: until - from }, (_, i) => ({
        epoch: from + i + 1,
        trainLoss: 1,
        accuracy: accuracyAt(mask, from + i + 1),
      }));
      return {
        result: { accuracy: accuracyAt(mask, until), curve, weights: null, imagesTrained: 10 * (until - from) },
        provenance: { worker: 'w', engine: 'e', seconds: 1 },
      };
    },
    close: async () => {},
  };
  const budget: Budget | undefined =
    images === undefined
      ? undefined
      : {
          images,
          alphaImages: 0,
          imagesOf: (epochs) => 10 * epochs,
          imagesOfPart: ({ from, until }) => 10 * (until - from),
        };
  return journalledEvaluate({
    journal,
    dispatcher,
    makeJob: (individual) => ({ ...individual, alpha: 'a' }) as unknown as EvaluateJob,
    alpha: 'a',
    epochs: () => 9,
    generations: 3,
    inRungs: inRungs(experiment, async ({ mask }) => void forgotten.push(mask)),
    ...(budget && { budget }),
    watch: () => {},
    signal: new AbortController().signal,
  });
}
const evaluated = () =>
  journal.lines.flatMap(({ fact }) => (fact.type === 'evaluated' ? [[fact.mask, fact.curve.length]] : []));
const ALL = MASKS.map((mask) => `${mask.join('')} 0-1`);

it('one in eta goes on where it stopped, the others keep the accuracy of their rung and its epochs', async () => {
  const individuals = await evaluateWith()(MASKS, { generation: 0 });
  expect(asked).toEqual([...ALL, '1111 1-3', '1110 1-3', '1111 3-9']);
  expect(individuals.map(({ fitness }) => fitness)).toEqual([
    accuracyAt('1000', 1),
    accuracyAt('1111', 9),
    accuracyAt('0000', 1),
    accuracyAt('1110', 3),
    accuracyAt('0011', 1),
    accuracyAt('0111', 1),
  ]);
  const facts = journal.lines.flatMap(({ fact }) => (fact.type === 'evaluated' ? [fact] : []));
  expect(facts.map(({ epochsGiven }) => epochsGiven)).toEqual([9, undefined, 9, 9, 9, 9]);
  expect(facts.map(({ imagesTrained }) => imagesTrained)).toEqual([10, 90, 10, 30, 10, 10]);
  expect(facts[1]!.curve.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(forgotten).toEqual(['1000', '0000', '1110', '0011', '0111']);
});

it('a genome that ended at a rung is known by it: not trained on, and no contender of a later generation', async () => {
  await evaluateWith()(MASKS, { generation: 0 });
  await journal.append(closed(0));
  asked = [];
  const later = ['1000', '1100', '0100', '1001'].map(maskFromString);
  const individuals = await evaluateWith()(later, { generation: 1 });
  expect(asked).toEqual(['1100 0-1', '0100 0-1', '1001 0-1', '1100 1-9']);
  expect(individuals[0]!.fitness).toBe(accuracyAt('1000', 1));
});

it.each([3, 7, 8, 9, 11])(
  'resumed after %i lines it asks for what is missing and has the same facts',
  async (lines) => {
    await evaluateWith()(MASKS, { generation: 0 });
    const whole = journal.lines;
    const all = [...asked];
    asked = [];
    await journal.close();
    journal = await Journal.open(join(folder, 'cut.jsonl'));
    for (const { fact } of whole.slice(0, lines)) await journal.append(fact);
    await evaluateWith()(MASKS, { generation: 0 });
    expect(asked).toEqual(all.slice(Math.min(lines, all.length)));
    expect(canonicalFacts(journal.lines)).toEqual(canonicalFacts(whole));
  },
);

it('one that every trainer dies of at a later rung is given up, and the next best has not its place', async () => {
  const individuals = await evaluateWith({ broken: '1111 1' })(MASKS, { generation: 0 });
  expect(asked.slice(6)).toEqual(['1111 1-3', '1110 1-3', '1110 3-9']);
  expect(individuals[1]!.fitness).toBe(0);
  expect(evaluated()).not.toContainEqual(expect.arrayContaining(['1111']));
});

it('a budget is charged the parts: it is spent in the order of the ranking, and who is cut short goes no further', async () => {
  // Six of one epoch, and three epochs more.
  const individuals = await evaluateWith({ images: 90 })(MASKS, { generation: 0 });
  expect(asked.slice(6)).toEqual(['1111 1-3', '1110 1-2']);
  expect(individuals[3]!.fitness).toBe(accuracyAt('1110', 2));
  expect(evaluated()).toContainEqual(['1111', 3]);
  await journal.append(closed(0));
  await expect(evaluateWith({ images: 90 })([maskFromString('1010')], { generation: 1 })).rejects.toThrow('spent');
});

it('a budget that does not last for the first rung of all ends the search, and keeps what was measured', async () => {
  await expect(evaluateWith({ images: 40 })(MASKS, { generation: 0 })).rejects.toThrow('the budget is spent');
  expect(evaluated()).toEqual(['1000', '1111', '0000', '1110'].map((mask) => [mask, 1]));
});

it('the first rung of one that was given up at a later one stays charged', async () => {
  // 60 for the first rung of all, 20 and 60 for the one that goes on: 30 are left.
  await evaluateWith({ images: 170, broken: '1111 1' })(MASKS, { generation: 0 });
  await journal.append(closed(0));
  asked = [];
  const later = ['0100', '0010', '0001', '1001'].map(maskFromString);
  await expect(evaluateWith({ images: 170 })(later, { generation: 1 })).rejects.toThrow('the budget is spent');
  expect(asked).toEqual(['0100 0-1', '0010 0-1', '0001 0-1']);
});

function closed(t: number): Fact {
  const individual = { mask: [...MASKS[0]!], fitness: 0.5 };
  const none = { offspring: [], lineage: [], pool: [], clusters: [], suppressed: [] };
  return { type: 'generation', t, parents: [individual], best: individual, nabla: 0, ...none };
}
