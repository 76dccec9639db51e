import { join } from 'node:path';
import { canonicalFacts, type Fact, readJournal } from '@nesgd/core/run';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunSummary } from '../../apps/coordinator/src/run-events.js';
import { type Cli, childrenOf, until, Workplace, writeExperiment } from '../support/cli.js';
import { tinyExperiment } from '../support/tiny.js';

/**
 * The promise that the whole design serves: the same seed gives the same facts, bit for bit, however many workers
 * there are, whichever of them dies, and wherever the coordinator is killed. Each case has a cache of its own, so
 * that alpha is trained anew in each.
 */
describe('the same seed gives the same result', () => {
  const workplaces: Workplace[] = [];
  let undisturbed: { facts: Fact[]; summary: RunSummary };

  async function place(): Promise<{ workplace: Workplace; experiment: string }> {
    const workplace = await Workplace.create();
    workplaces.push(workplace);
    const experiment = await writeExperiment(join(workplace.folder, 'tiny.yaml'), tinyExperiment());
    return { workplace, experiment };
  }

  const journalPath = (workplace: Workplace) => join(workplace.runs, 'r', 'journal.jsonl');

  async function factsOf(workplace: Workplace): Promise<Fact[]> {
    return canonicalFacts((await readJournal(journalPath(workplace))).lines);
  }

  /** Waits until so many facts of a type are in the journal. */
  async function untilFacts(workplace: Workplace, type: Fact['type'], count: number, cli: Cli): Promise<void> {
    await until(`the journal has ${count} facts "${type}" (${cli.stderr})`, async () => {
      const { lines } = await readJournal(journalPath(workplace));
      return lines.filter(({ fact }) => fact.type === type).length >= count;
    });
  }

  function comparable({ seconds: _, workers: __, ...rest }: RunSummary) {
    return rest;
  }

  beforeAll(async () => {
    const { workplace, experiment } = await place();
    const summary = await workplace
      .start(['run', experiment, '--run-id', 'r', '--workers', '1', '--json'])
      .summary<RunSummary>();
    undisturbed = { facts: await factsOf(workplace), summary };
  });

  afterAll(() => Promise.all(workplaces.map((workplace) => workplace.destroy())));

  it('has an alpha that learned and every generation in its journal', () => {
    expect(undisturbed.summary.alpha?.testAccuracy).toBeGreaterThan(0.3);
    const generations = undisturbed.facts.filter((fact) => fact.type === 'generation');
    expect(generations.map((fact) => fact.t)).toEqual([0, 1, 2]);
  });

  it('with two workers', async () => {
    const { workplace, experiment } = await place();
    const summary = await workplace
      .start(['run', experiment, '--run-id', 'r', '--workers', '2', '--json'])
      .summary<RunSummary>();
    expect(await factsOf(workplace)).toEqual(undisturbed.facts);
    expect(comparable(summary)).toEqual(comparable(undisturbed.summary));
  });

  it('with the local evaluator in place of the queue', async () => {
    const { workplace, experiment } = await place();
    const args = ['run', experiment, '--run-id', 'r', '--workers', '2', '--broker', 'local', '--json'];
    const summary = await workplace.start(args).summary<RunSummary>();
    expect(await factsOf(workplace)).toEqual(undisturbed.facts);
    expect(comparable(summary)).toEqual(comparable(undisturbed.summary));
  });

  it('with a worker killed in the middle of a job', async () => {
    const { workplace, experiment } = await place();
    const cli = workplace.start(['run', experiment, '--run-id', 'r', '--workers', '2']);
    await untilFacts(workplace, 'evaluated', 1, cli);
    const [victim] = await childrenOf(cli.child.pid as number, 'worker/dist/main.js');
    process.kill(victim as number, 'SIGKILL');
    expect(await cli.exited, cli.stderr).toMatchObject({ code: 0 });
    expect(cli.stderr).toMatch(/was killed by SIGKILL; another takes its place/);
    expect(await factsOf(workplace)).toEqual(undisturbed.facts);
  });

  it('with a trainer killed in the middle of a job', async () => {
    const { workplace, experiment } = await place();
    const cli = workplace.start(['run', experiment, '--run-id', 'r', '--workers', '1']);
    await untilFacts(workplace, 'evaluated', 1, cli);
    const [worker] = await childrenOf(cli.child.pid as number, 'worker/dist/main.js');
    const [trainer] = await childrenOf(worker as number, 'trainer/main.js');
    process.kill(trainer as number, 'SIGKILL');
    expect(await cli.exited, cli.stderr).toMatchObject({ code: 0 });
    expect(await factsOf(workplace)).toEqual(undisturbed.facts);
  });

  it.each([
    ['while alpha trains', 'opened', 1],
    ['in the initial population', 'evaluated', 2],
    ['in the second generation', 'generation', 2],
  ] as const)('with the coordinator killed %s and the run resumed', async (_, type, count) => {
    const { workplace, experiment } = await place();
    const first = workplace.start(['run', experiment, '--run-id', 'r', '--workers', '2']);
    await untilFacts(workplace, type, count, first);
    first.child.kill('SIGKILL');
    await first.exited;
    const summary = await workplace.start(['resume', 'r', '--workers', '2', '--json']).summary<RunSummary>();
    expect(await factsOf(workplace)).toEqual(undisturbed.facts);
    expect(comparable(summary)).toEqual(comparable(undisturbed.summary));
  });

  it('stopped by Ctrl-C it exits with 130 and says how to go on; resumed it ends the same', async () => {
    const { workplace, experiment } = await place();
    const first = workplace.start(['run', experiment, '--run-id', 'r', '--workers', '2']);
    await untilFacts(workplace, 'evaluated', 1, first);
    first.child.kill('SIGINT');
    expect(await first.exited).toMatchObject({ code: 130 });
    expect(first.stderr).toMatch(/nesgd\.mjs resume r\b/);
    const summary = await workplace.start(['resume', 'r', '--json']).summary<RunSummary>();
    expect(await factsOf(workplace)).toEqual(undisturbed.facts);
    expect(comparable(summary)).toEqual(comparable(undisturbed.summary));
  });

  it('a finished run says its result again without working', async () => {
    const workplace = workplaces[0] as Workplace;
    const summary = await workplace.start(['resume', 'r', '--json']).summary<RunSummary>();
    expect(comparable(summary)).toEqual(comparable(undisturbed.summary));
    expect(await factsOf(workplace)).toEqual(undisturbed.facts);
  });
});
