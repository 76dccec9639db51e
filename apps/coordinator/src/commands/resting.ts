import { NesgdError } from '@nesgd/core/errors';
import { runPath } from '@nesgd/core/run';
import { readControlState } from '../control/control-state.js';

/** The run was told to stop, and nothing but "nesgd resume" shall go on with it. No failure: exit code 0. */
export class RestingError extends NesgdError {
  constructor(runId: string) {
    super('RUN_RESTS', `run ${runId} was told to stop, and rests: "nesgd resume ${runId}" goes on`);
  }
}

/** @throws RestingError where the last process that worked on a run was told to stop. */
export async function refuseResting(runsFolder: string, runId: string): Promise<void> {
  if ((await readControlState(runPath(runsFolder, runId))).stopped) throw new RestingError(runId);
}
