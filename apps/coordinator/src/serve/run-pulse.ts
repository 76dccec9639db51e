import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runPath } from '@nesgd/core/run';
import { LIVE_STATUS_FILE, type LiveStatus, liveStatusSchema, type RunPulse, type RunState } from '@nesgd/core/view';
import { readControlState } from '../control/control-state.js';

/** What changes about a run while no fact is added. @throws InputError for an id that is none. */
export async function readPulse(
  runsFolder: string,
  runId: string,
  state: RunState,
  holder: RunPulse['holder'] | undefined,
): Promise<RunPulse> {
  const folder = runPath(runsFolder, runId);
  const [live, { paused, priority }] = await Promise.all([readLiveStatus(folder), readControlState(folder)]);
  return {
    state,
    paused: paused && state === 'running',
    priority,
    holder: holder ? { pid: holder.pid, host: holder.host } : null,
    live: live && state !== 'running' ? atRest(live) : live,
  };
}

/** Null where there is none, or one of another version: the journal alone says enough. */
async function readLiveStatus(folder: string): Promise<LiveStatus | null> {
  const text = await readFile(join(folder, LIVE_STATUS_FILE), 'utf8').catch(() => undefined);
  if (text === undefined) return null;
  try {
    return liveStatusSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

/** What a process left that is gone: nobody does the jobs that were under way. */
function atRest(live: LiveStatus): LiveStatus {
  return {
    ...live,
    active: [],
    remainingMs: null,
    jobs: { ...live.jobs, active: 0, waiting: 0 },
    workers: live.workers.map((worker) => ({ ...worker, job: null })),
  };
}
