import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalFacts, type Fact, readJournal } from '@nesgd/core/run';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Cli, childrenOf, Workplace, writeExperiment } from '../support/cli.js';
import { tinyExperiment } from '../support/tiny.js';

const ATTEMPTS = 2;

/** One genome of the initial population ends every trainer that takes it. */
let workplace: Workplace;
let experiment: string;
beforeAll(async () => {
  workplace = await Workplace.create();
  const evolution = { populationSize: 4, generations: 1 };
  experiment = await writeExperiment(join(workplace.folder, 'tiny.yaml'), tinyExperiment({ evolution }));
});
afterAll(() => workplace.destroy());

async function factsOf(runId: string): Promise<Fact[]> {
  return canonicalFacts((await readJournal(join(workplace.runs, runId, 'journal.jsonl'))).lines);
}

/** Kills the trainer of a run's only worker whenever it has begun `mask`, until the run ends. */
async function poison(cli: Cli, runId: string, mask: string): Promise<number> {
  let killed = 0;
  let ended = false;
  void cli.exited.then(() => {
    ended = true;
  });
  while (!ended) {
    const log = await readFile(join(workplace.runs, runId, 'logs', 'worker-1.log'), 'utf8').catch(() => '');
    const begun = [...log.matchAll(/^.*job started.*$/gm)].map(([line]) => JSON.parse(line) as { mask?: string });
    const deaths = [...log.matchAll(/TRAINER_DIED/g)].length;
    const [worker] = await childrenOf(cli.child.pid as number, 'worker/dist/main.js');
    // No more than it takes: the next trainer, still without a job, would else be taken for one that has it.
    if (begun.at(-1)?.mask === mask && worker !== undefined && deaths === killed && killed < ATTEMPTS) {
      const [trainer] = await childrenOf(worker, 'trainer/main.js');
      if (trainer !== undefined) {
        process.kill(trainer, 'SIGKILL');
        killed += 1;
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return killed;
}

it('an individual that kills every trainer is given up after so many attempts, and the run goes on without it', async () => {
  await workplace.start(['run', experiment, '--run-id', 'well', '--workers', '1', '--json']).summary();
  const well = await factsOf('well');
  const [victim] = well.filter((fact) => fact.type === 'evaluated');
  const cli = workplace.start(['run', experiment, '--run-id', 'ill', '--workers', '1', '--attempts', String(ATTEMPTS)]);
  const killed = await poison(cli, 'ill', victim!.mask);
  expect(await cli.exited, cli.stderr).toMatchObject({ code: 0 });
  expect(killed).toBe(ATTEMPTS);
  expect(cli.stderr).toMatch(new RegExp(`individual ${victim!.mask} is given up and counts as the worst: .*SIGKILL`));

  const ill = await factsOf('ill');
  expect(ill.filter((fact) => fact.type === 'failed')).toEqual([{ type: 'failed', mask: victim!.mask, repeat: 0 }]);
  expect(ill.find((fact) => fact.type === 'finished')?.best.mask).not.toBe(victim!.mask);
  const initial = (facts: Fact[]) => facts.find((fact) => fact.type === 'generation')!;
  expect(initial(ill).parents.map(({ mask }) => mask)).toEqual(initial(well).parents.map(({ mask }) => mask));
  for (const [i, { fitness }] of initial(ill).parents.entries()) {
    const same = initial(well).parents[i]!;
    expect(fitness).toBe(same.mask.join('') === victim!.mask ? 0 : same.fitness);
  }

  // The same as if it had never been ill, with the generation after it searched anew.
  const retried = workplace.start(['retry', 'ill', '--workers', '1', '--json']);
  await retried.summary();
  const opened = (facts: Fact[]) => facts.map((fact) => (fact.type === 'opened' ? { ...fact, runId: '' } : fact));
  expect(opened(await factsOf('ill'))).toEqual(opened(well));
  const before = await readJournal(join(workplace.runs, 'ill', 'journal.before-retry-1.jsonl'));
  expect(canonicalFacts(before.lines)).toEqual(ill);
  const again = workplace.start(['retry', 'ill']);
  expect((await again.exited).code).toBe(2);
  expect(again.stderr).toContain('has nothing to retry: none of its individuals was given up');
});
