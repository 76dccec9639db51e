import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NesgdError } from '@nesgd/core/errors';
import { maskFromString } from '@nesgd/core/evolution';
import type { EvaluateJob } from '@nesgd/core/protocol';
import { type Dispatcher, type Fact, Journal } from '@nesgd/core/run';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { journalledEvaluate } from './evaluate.js';

let folder: string;
let journal: Journal;
let asked: string[];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nesgd-evaluate-'));
  journal = await Journal.open(join(folder, 'journal.jsonl'));
  asked = [];
});
afterEach(async () => {
  await journal.close();
  await rm(folder, { recursive: true });
});

const died = new NesgdError('TRAINER_DIED', 'the trainer process was killed by SIGKILL', true);
const MASKS = ['0101', '1111', '0000'].map(maskFromString);

/** Individuals by what becomes of them: an accuracy or an error. */
function evaluateWith(fates: Record<string, number | Error>) {
  const dispatcher: Dispatcher = {
    async dispatch(job) {
      const { mask } = job as EvaluateJob;
      asked.push(mask);
      const fate = fates[mask] ?? 0.5;
      if (fate instanceof Error) throw fate;
      return {
        result: { accuracy: fate, curve: [], weights: null, imagesTrained: 1 },
        provenance: { worker: 'w', engine: 'e', seconds: 1 },
      };
    },
    close: async () => {},
  };
  return journalledEvaluate({
    journal,
    dispatcher,
    makeJob: (individual) => ({ ...individual, alpha: 'a' }) as unknown as EvaluateJob,
    alpha: 'a',
    epochs: () => 1,
    generations: 3,
    watch: () => {},
    signal: new AbortController().signal,
  });
}

const factsOf = (type: Fact['type']) => journal.lines.filter(({ fact }) => fact.type === type);

it('evaluate: an individual that every trainer died of is given up with fitness 0, the others count', async () => {
  const individuals = await evaluateWith({ '1111': died })(MASKS, { generation: 0 });
  expect(individuals.map(({ fitness }) => fitness)).toEqual([0.5, 0, 0.5]);
  expect(factsOf('failed')).toMatchObject([
    { fact: { mask: '1111', repeat: 0 }, meta: { reason: 'the trainer process was killed by SIGKILL' } },
  ]);
  expect(factsOf('evaluated').length).toBe(2);
});

it('evaluate: one that was given up is not tried again', async () => {
  await evaluateWith({ '1111': died })(MASKS, { generation: 0 });
  asked = [];
  const individuals = await evaluateWith({})(MASKS, { generation: 1 });
  expect(asked).toEqual([]);
  expect(individuals[1]?.fitness).toBe(0);
});

it('evaluate: where none was ever measured nobody is given up, and the run ends with the reason', async () => {
  const evaluate = evaluateWith({ '0101': died, '1111': died, '0000': died });
  await expect(evaluate(MASKS, { generation: 0 })).rejects.toBe(died);
  expect(journal.lines).toEqual([]);
});

it.each(['BLOB_MISSING', 'DISK_FULL', 'UNEXPECTED'])(
  'evaluate: %s is not the fault of an individual: what was measured is kept and the run ends',
  async (code) => {
    const error = new NesgdError(code, 'something is wrong with the machine');
    const evaluate = evaluateWith({ '1111': error, '0000': died });
    await expect(evaluate(MASKS, { generation: 0 })).rejects.toBe(error);
    expect(journal.lines.map(({ fact }) => fact.type)).toEqual(['evaluated']);
  },
);
