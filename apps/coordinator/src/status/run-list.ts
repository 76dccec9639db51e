import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { InputError } from '@nesgd/core/errors';
import { listRuns, runHolder } from '@nesgd/core/run';
import type { ListedRun } from '@nesgd/core/view';
import { generationsOf } from '../workload.js';
import { overviewOf } from './run-overview.js';

/** The runs of a folder in short. Read again and again it looks only at journals that have changed. */
export class RunList {
  readonly #known = new Map<string, { readonly mark: string; readonly run: ListedRun | undefined }>();

  constructor(readonly runsFolder: string) {}

  /** Oldest first. One damaged journal does not hide the other runs; folders without a journal are no runs. */
  async read(): Promise<ListedRun[]> {
    const names = await listRuns(this.runsFolder);
    for (const name of this.#known.keys()) if (!names.includes(name)) this.#known.delete(name);
    const runs: ListedRun[] = [];
    for (const name of names) {
      const run = await this.#get(name);
      if (run) runs.push(run);
    }
    const started = (run: ListedRun) => (run.state === 'damaged' ? '' : run.startedAt);
    return runs.sort((a, b) => started(a).localeCompare(started(b)));
  }

  async #get(runId: string): Promise<ListedRun | undefined> {
    const mark = await this.#mark(runId);
    const known = this.#known.get(runId);
    if (known && known.mark === mark) return known.run;
    const run = await listed(this.runsFolder, runId);
    this.#known.set(runId, { mark, run });
    return run;
  }

  /** Differs when the run's line in the list may. */
  async #mark(runId: string): Promise<string> {
    const journal = await stat(join(resolve(this.runsFolder), runId, 'journal.jsonl')).catch(() => undefined);
    // A folder of another program may have a name that no run can have.
    const holder = await runHolder(this.runsFolder, runId).catch(() => undefined);
    return `${journal?.ino} ${journal?.size} ${journal?.mtimeMs} ${holder?.pid}`;
  }
}

/** Undefined for what is no run. */
async function listed(runsFolder: string, runId: string): Promise<ListedRun | undefined> {
  try {
    const { state, experiment, generations, alpha, best, startedAt, lastFactAt } = await overviewOf(runsFolder, runId);
    return {
      runId,
      state,
      experiment: experiment.name,
      generation: generations.at(-1)?.t ?? null,
      generations: generationsOf(experiment),
      alphaAccuracy: alpha?.accuracy ?? null,
      bestAccuracy: best?.accuracy ?? null,
      bestTestAccuracy: best?.testAccuracy ?? null,
      startedAt,
      lastFactAt,
    };
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return error.code === 'JOURNAL' ? { runId, state: 'damaged', error: error.message } : undefined;
  }
}
