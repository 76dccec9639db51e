import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { InputError } from '@nesgd/core/errors';
import { METHOD_WORDS } from '@nesgd/core/methods';
import { type JournalLine, listRuns, readJournalFrom, runHolder, runPath } from '@nesgd/core/run';
import type { ListedRun, ListedSoon } from '@nesgd/core/view';
import { CONTROL_FILE, readControlState } from '../control/control-state.js';
import { generationsOf } from '../workload.js';
import { overviewFrom, type RunOverview } from './run-overview.js';

interface GrowingJournal {
  readonly inode: number;
  readonly wholeBytes: number;
  readonly lines: JournalLine[];
}

/** The runs of a folder in short. Read again and again it looks only at journals that have changed. */
export class RunList {
  readonly #known = new Map<string, { readonly mark: string; readonly run: ListedRun | undefined }>();
  /** Of runs that go on. */
  readonly #growing = new Map<string, GrowingJournal>();
  #reading: Promise<ListedRun[]> | undefined;

  constructor(readonly runsFolder: string) {}

  /**
   * Oldest first. One damaged journal does not hide the other runs; folders without a journal are no runs.
   * Who asks while it is read gets the same answer: two readers would read the new lines twice.
   */
  read(): Promise<ListedRun[]> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /**
   * As `read`, but who asks does not wait for long journals: runs whose are not read by then are `reading`, and those
   * that have got longer as they were.
   */
  async readSoon(patienceMs: number): Promise<ListedSoon[]> {
    const whole = this.read();
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<undefined>((resolve) => {
      timer = setTimeout(resolve, patienceMs, undefined);
    });
    try {
      const runs = await Promise.race([whole, patience]);
      if (runs) return runs;
    } finally {
      clearTimeout(timer);
    }
    whole.catch(() => {}); // Who asks next hears of it.
    const names = await listRuns(this.runsFolder);
    return sorted(
      names.flatMap((runId): ListedSoon[] => {
        const known = this.#known.get(runId);
        if (!known) return [{ runId, state: 'reading' }];
        return known.run ? [known.run] : [];
      }),
    );
  }

  async #read(): Promise<ListedRun[]> {
    const names = await listRuns(this.runsFolder);
    for (const name of this.#known.keys()) if (!names.includes(name)) this.#known.delete(name);
    const runs: ListedRun[] = [];
    // A lock that was left behind takes seconds to tell, so all are looked at together; the answers are remembered.
    await Promise.all(names.map((name) => this.#mark(name)));
    for (const name of await this.#shortestFirst(names)) {
      const run = await this.#get(name);
      if (run) runs.push(run);
    }
    return sorted(runs);
  }

  async #shortestFirst(names: readonly string[]): Promise<string[]> {
    const sizes = names.map(async (name) => {
      const file = await stat(join(resolve(this.runsFolder), name, 'journal.jsonl')).catch(() => undefined);
      return { name, size: file?.size ?? 0 };
    });
    return (await Promise.all(sizes)).sort((a, b) => a.size - b.size).map(({ name }) => name);
  }

  async #get(runId: string): Promise<ListedRun | undefined> {
    const mark = await this.#mark(runId);
    const known = this.#known.get(runId);
    if (known && known.mark === mark) return known.run;
    const run = await this.#listed(runId);
    this.#known.set(runId, { mark, run });
    return run;
  }

  /** Undefined for what is no run. */
  async #listed(runId: string): Promise<ListedRun | undefined> {
    try {
      // First the holder: a run that finishes in between has released it, and its journal says so.
      const holder = await runHolder(this.runsFolder, runId);
      const lines = await this.#readOn(runId);
      if (lines.length === 0) return undefined;
      const control = await readControlState(runPath(this.runsFolder, runId));
      const overview = overviewFrom(lines, { runsFolder: this.runsFolder, runId, holder, control });
      if (overview.state !== 'running') this.#growing.delete(runId);
      return listed(overview);
    } catch (error) {
      this.#growing.delete(runId);
      if (error instanceof InputError && error.code !== 'JOURNAL') return undefined;
      // A journal that cannot be read, of whatever cause, does not hide the other runs either.
      return { runId, state: 'damaged', error: error instanceof Error ? error.message : String(error) };
    }
  }

  /** The journal of a run that goes on is read on from where it was read before. */
  async #readOn(runId: string): Promise<readonly JournalLine[]> {
    const path = join(runPath(this.runsFolder, runId), 'journal.jsonl');
    const file = await stat(path).catch(() => undefined);
    const known = this.#growing.get(runId);
    const isSame = known && file && known.inode === file.ino && known.wholeBytes <= file.size;
    const before = isSame ? known : { inode: file?.ino ?? 0, wholeBytes: 0, lines: [] };
    const { lines, wholeBytes } = await readJournalFrom(path, {
      wholeBytes: before.wholeBytes,
      lines: before.lines.length,
    });
    before.lines.push(...lines);
    this.#growing.set(runId, { ...before, wholeBytes });
    return before.lines;
  }

  /** Differs when the run's line in the list may. */
  async #mark(runId: string): Promise<string> {
    const journal = await stat(join(resolve(this.runsFolder), runId, 'journal.jsonl')).catch(() => undefined);
    // A folder of another program may have a name that no run can have.
    const holder = await runHolder(this.runsFolder, runId).catch(() => undefined);
    const control = await stat(join(resolve(this.runsFolder), runId, CONTROL_FILE)).catch(() => undefined);
    return `${journal?.ino} ${journal?.size} ${journal?.mtimeMs} ${holder?.pid} ${control?.ino} ${control?.mtimeMs}`;
  }
}

/** Oldest first; those that are being read last, as the latest. */
function sorted<R extends ListedSoon>(runs: R[]): R[] {
  const started = (run: R) => ('startedAt' in run ? run.startedAt : run.state === 'damaged' ? '' : '~');
  return runs.sort((a, b) => (started(a) < started(b) ? -1 : started(a) > started(b) ? 1 : 0));
}

function listed(overview: RunOverview): ListedRun {
  const { runId, state, paused, priority, experiment, generations, alpha, best, startedAt, lastFactAt } = overview;
  return {
    runId,
    state,
    paused,
    priority,
    experiment: experiment.name,
    method: experiment.method.name,
    round: METHOD_WORDS[experiment.method.name].round,
    generation: generations.at(-1)?.t ?? null,
    generations: generationsOf(experiment),
    alphaAccuracy: alpha?.accuracy ?? null,
    bestAccuracy: best?.accuracy ?? null,
    bestTestAccuracy: best?.testAccuracy ?? null,
    startedAt,
    lastFactAt,
  };
}
