import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { canonicalFacts, type Fact, readJournal } from '@nesgd/core/run';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until, Workplace, writeExperiment } from '../support/cli.js';
import { tinyExperiment } from '../support/tiny.js';

/** The time of day of coordinator, workers and trainers jumps by hours, to and fro, while they work. */
let workplace: Workplace;
let experiment: string;
const CLOCK = new URL('../support/jumping-clock.mjs', import.meta.url).href;
const HOUR_MS = 3600_000;
const JUMPS = [HOUR_MS, -2 * HOUR_MS, 0, 30 * 24 * HOUR_MS, -HOUR_MS];

beforeAll(async () => {
  workplace = await Workplace.create();
  const evolution = { populationSize: 5, generations: 1 };
  experiment = await writeExperiment(join(workplace.folder, 'tiny.yaml'), tinyExperiment({ evolution }));
});
afterAll(() => workplace.destroy());

async function journalOf(runId: string) {
  return (await readJournal(join(workplace.runs, runId, 'journal.jsonl'))).lines;
}
const factsOf = async (runId: string): Promise<Fact[]> => canonicalFacts(await journalOf(runId)).slice(1);

it.each(['auto', 'local'])(
  'a run (--broker %s) whose clock jumps at each result ends with the facts of one whose clock does not',
  async (broker) => {
    const start = (runId: string, env: NodeJS.ProcessEnv = {}) =>
      workplace.start(['run', experiment, '--run-id', runId, '--workers', '2', '--broker', broker], env);
    const clock = join(workplace.folder, `clock-${broker}`);
    const jumping = start(`jumping-${broker}`, { NODE_OPTIONS: `--import=${CLOCK}`, NESGD_TEST_CLOCK: clock });
    for (const [i, jump] of JUMPS.entries()) {
      await until(
        `${i + 1} facts are there`,
        async () => (await journalOf(`jumping-${broker}`).catch(() => [])).length > i,
      );
      await writeFile(`${clock}.new`, String(jump));
      await rename(`${clock}.new`, clock);
    }
    expect(await jumping.exited, jumping.stderr).toEqual({ code: 0, signal: null });
    // They did jump, so far that a lock, a lease or a deadline by the time of day would have been missed.
    const times = (await journalOf(`jumping-${broker}`)).map(({ meta }) => Date.parse(meta.at));
    expect(times.some((time, i) => i > 0 && time < times[i - 1]! - HOUR_MS / 2)).toBe(true);
    // BullMQ renews locks by the time of day: set back, it lets that of a job in hand run out, which then is done again.
    expect(jumping.stderr).not.toMatch(/hang|late/);
    const usual = start(`usual-${broker}`);
    expect(await usual.exited, usual.stderr).toEqual({ code: 0, signal: null });
    expect(await factsOf(`jumping-${broker}`)).toEqual(await factsOf(`usual-${broker}`));
  },
);
