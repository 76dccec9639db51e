import { useEffect, useState } from 'preact/hooks';
import { RunModel } from '../model/run-model.js';
import { fetchRun, RequestError } from './client.js';

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
    let isOver = false;
    const refresh = async () => {
      const read = await Promise.all([...models].map(([runId, model]) => readOn(runId, model)));
      if (isOver) return;
      setRuns(read);
      timer = setTimeout(refresh, REFRESH_MS);
    };
    void refresh();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [key]);
  return runs;
}

async function readOn(runId: string, model: RunModel): Promise<ReadRun> {
  try {
    const { lines } = await fetchRun(runId, model.length - 1);
    for (const line of lines) if (line.seq === model.length) model.add(line);
    return { runId, model, problem: undefined };
  } catch (error) {
    return { runId, model, problem: error instanceof RequestError ? error.message : String(error) };
  }
}
