import { checkRunId } from '@nesgd/core/run';
import { RunFollower } from './run-follower.js';

const MOST_KEPT = 8;

/** The followers of a folder of runs. Those looked at last stay read, so that a page that comes back is served at once. */
export class RunFollowers {
  readonly #followers = new Map<string, RunFollower>();

  constructor(readonly runsFolder: string) {}

  /** @returns the run as it stands. @throws InputError for an id that is none, an unknown run, a damaged journal. */
  async get(runId: string): Promise<RunFollower> {
    const follower = this.#followers.get(runId) ?? new RunFollower(this.runsFolder, checkRunId(runId));
    await follower.refresh();
    this.#followers.delete(runId);
    this.#followers.set(runId, follower); // The map's order is that of use.
    this.#forgetOthers();
    return follower;
  }

  #forgetOthers(): void {
    for (const [runId, follower] of this.#followers) {
      if (this.#followers.size <= MOST_KEPT) return;
      if (!follower.isWatched) this.#followers.delete(runId);
    }
  }
}
