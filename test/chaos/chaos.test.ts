import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { canonicalFacts, type JournalLine, readJournal } from '@nesgd/core/run';
import { afterAll, expect, it } from 'vitest';
import { until, Workplace, writeExperiment } from '../support/cli.js';
import { tinyExperiment } from '../support/tiny.js';
import { Cast } from './cast.js';
import { NobodyThere, type PlannedFault, schedule } from './faults.js';

declare module 'vitest' {
  interface TaskMeta {
    chaos?: { seed: number; injected: number; lost: number; doubled: number };
  }
}

/**
 * One run under fire: kills, freezes, cuts and losses strike trainers, workers, broker and coordinator in the order of a
 * seed, spread over the whole run. It must end as the run that nothing happened to: the same facts, bit for bit.
 */
const SEED = Number(process.env.NESGD_CHAOS_SEED || 1);
const EXPERIMENT = tinyExperiment({
  model: { name: 'resnet8', granularity: 'layer' },
  // Jobs long enough that on a quick machine too the run is not over before the last fault.
  retrain: { epochs: 6, learningRateRetained: 0.02, learningRateReinitialised: 0.1, batchSize: 32 },
  evolution: { populationSize: 8, generations: 4, mutationProbability: 0.2 },
});

const workplaces: Workplace[] = [];
let cast: Cast | undefined;
afterAll(async () => {
  await cast?.disband();
  await Promise.all(workplaces.map((workplace) => workplace.destroy()));
});

async function place(): Promise<{ workplace: Workplace; experiment: string; lines: () => Promise<JournalLine[]> }> {
  const workplace = await Workplace.create();
  workplaces.push(workplace);
  return {
    workplace,
    experiment: await writeExperiment(join(workplace.folder, 'tiny.yaml'), EXPERIMENT),
    lines: async () => (await readJournal(join(workplace.runs, 'r', 'journal.jsonl'))).lines,
  };
}

async function strike(fault: PlannedFault, on: Cast): Promise<void> {
  await until(`there is something to strike by "${fault.name}"`, async () => {
    try {
      await fault.inject(on);
      return true;
    } catch (error) {
      if (error instanceof NobodyThere || (error as NodeJS.ErrnoException).code === 'ESRCH') return false;
      throw error;
    }
  });
}

it('a run under more than 60 kills, cuts and losses ends with the facts of the undisturbed run', async ({ task }) => {
  const calm = await place();
  await calm.workplace
    .start(['run', calm.experiment, '--run-id', 'r', '--workers', '1', '--broker', 'local', '--json'])
    .summary();
  const undisturbed = await calm.lines();

  const faults = schedule(SEED);
  const stormy = await place();
  cast = await Cast.assemble(stormy.workplace, stormy.experiment, 2);
  const { finished } = cast;
  let ended = false;
  void finished.then(
    () => {
      ended = true;
    },
    () => {
      ended = true;
    },
  );
  // The last facts are left in peace, or the run might be over before its last fault.
  const spread = undisturbed.length - 6;
  console.log(`chaos: seed ${SEED}, ${faults.length} faults over ${undisturbed.length} facts`);
  const started = performance.now();
  let injected = 0;
  for (const [i, fault] of faults.entries()) {
    const due = Math.floor((i * spread) / faults.length);
    await until(
      `fact ${due} is in the journal (${cast.coordinator.stderr.slice(-500)})`,
      async () => ended || (await stormy.lines()).length >= due,
      300_000,
    );
    await delay(fault.pauseMs);
    if (ended) break;
    await strike(fault, cast);
    injected += 1;
    console.log(`${((performance.now() - started) / 1000).toFixed(1)} s  fact ${due}  ${fault.name}`);
  }
  await finished;

  const storm = await stormy.lines();
  const keys = (lines: readonly JournalLine[]) =>
    lines.flatMap(({ fact }) => (fact.type === 'evaluated' ? [`${fact.mask}/${fact.repeat}`] : []));
  const measured = new Set(keys(storm));
  const lost = new Set(keys(undisturbed).filter((key) => !measured.has(key))).size;
  const doubled = keys(storm).length - measured.size;
  task.meta.chaos = { seed: SEED, injected, lost, doubled };
  expect(canonicalFacts(storm)).toEqual(canonicalFacts(undisturbed));
  expect({ injected, lost, doubled }).toEqual({ injected: faults.length, lost: 0, doubled: 0 });
  expect(injected).toBeGreaterThanOrEqual(60);
});
