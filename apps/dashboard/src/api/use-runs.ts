import type { ViewLine } from '@nesgd/core/view';
import { useEffect, useState } from 'preact/hooks';
import { RunModel } from '../model/run-model.js';
import { RequestError } from './client.js';
import { OtherJournal, readRun } from './read-run.js';

const REFRESH_MS = 2_000;

/** A run among others: as far as it is read, or why it cannot be. */
export interface ReadRun {
  readonly runId: string;
  readonly model: RunModel;
  readonly problem: string | undefined;
}

/** Several runs at once, asked every two seconds for what they have got since. */
export function useRuns(runIds: readonly string[]): readonly ReadRun[] {
  const [runs, setRuns] = useState<readonly ReadRun[]>([]);
  const key = runIds.join(',');
  useEffect(() => {
    const models = new Map(runIds.map((runId) => [runId, new RunModel()]));
    let timer: number | undefined;
    const closing = new AbortController();
    const refresh = async () => {
      const read = await Promise.all([...models].map(([runId, model]) => readOn(runId, model, closing.signal)));
      if (closing.signal.aborted) return;
      for (const { runId, model } of read) models.set(runId, model);
      setRuns(read);
      timer = setTimeout(refresh, REFRESH_MS);
    };
    void refresh();
    return () => {
      closing.abort();
      clearTimeout(timer);
    };
  }, [key]);
  return runs;
}

async function readOn(runId: string, model: RunModel, signal: AbortSignal): Promise<ReadRun> {
  try {
    const take = (line: ViewLine) => {
      if (line.seq === model.length) model.add(line);
    };
    await readRun(runId, model, take, signal);
    return { runId, model, problem: undefined };
  } catch (error) {
    if (error instanceof OtherJournal) return readOn(runId, new RunModel(), signal);
    return { runId, model, problem: error instanceof RequestError ? error.message : String(error) };
  }
}
