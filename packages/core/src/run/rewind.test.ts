import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { exampleExperiment, exampleOpened } from './example.fixture.js';
import type { Fact } from './facts.js';
import { retryGivenUp } from './rewind.js';
import { createRun, readRun } from './run-folder.js';

let runs: string;
beforeEach(async () => {
  runs = await mkdtemp(join(tmpdir(), 'nesgd-rewind-'));
});
afterEach(() => rm(runs, { recursive: true }));

const evaluated = (mask: string): Fact => ({
  type: 'evaluated',
  mask,
  repeat: 0,
  accuracy: 0.5,
  curve: [],
  weights: null,
  imagesTrained: 1,
});

/** A stopped run: one individual measured, one given up, one measured, and one as far as a rung. @returns what a retry leaves of them. */
async function retried(evolution: Record<string, unknown>): Promise<unknown[]> {
  const example = exampleExperiment();
  const retrain = { ...(example.retrain as object), epochs: 2 };
  const experiment = { ...example, retrain, evolution: { ...(example.evolution as object), ...evolution } };
  const run = await createRun(runs, exampleOpened('ill', experiment));
  await run.journal.append(evaluated('10'));
  await run.journal.append({ type: 'failed', mask: '01', repeat: 0 });
  await run.journal.append(evaluated('11'));
  await run.journal.append({ ...evaluated('00'), type: 'rung', from: 0, until: 1 } as Fact);
  await run.close();
  expect(await retryGivenUp(runs, 'ill')).toBe(1);
  return (await readRun(runs, 'ill')).lines.map(({ fact }) => ('mask' in fact ? fact.mask : fact.type));
}

it('a retry keeps what was measured in the generation of the failure', async () => {
  expect(await retried({})).toEqual(['opened', '10', '11', '00']);
});

it('of a steady-state search it keeps nothing after the failure, from which later individuals were bred', async () => {
  expect(await retried({ steadyStateLag: 1 })).toEqual(['opened', '10']);
});

it('of a search by successive halving it keeps the rungs, from which those that went on are chosen again', async () => {
  expect(await retried({ successiveHalving: { firstEpochs: 1, eta: 2 } })).toEqual(['opened', '10', '00']);
});

it('lines of a journal that was taken back keep their checksums', async () => {
  await retried({});
  const lines = (await readFile(join(runs, 'ill', 'journal.jsonl'), 'utf8')).trimEnd().split('\n');
  for (const line of lines) expect(JSON.parse(line)).toHaveProperty('sum');
});
