import { checkRunId } from '@nesgd/core/run';
import type { RunReader } from '../reading/run-reader.js';
import { RunFollower } from './run-follower.js';

const MOST_KEPT = 8;

/** The followers of a folder of runs. Those looked at last stay read, so that a page that comes back is served at once. */
export class RunFollowers {
  readonly #followers = new Map<string, RunFollower>();

  constructor(readonly reader: RunReader) {}

  /** @returns the run as it stands. @throws InputError for an id that is none, an unknown run, a damaged journal. */
  get(runId: string): Promise<RunFollower> {
    return this.#looked(runId, (follower) => follower.refresh());
  }

  /** As `get`, but of a long journal that is being read there may be the beginning only. @throws InputError */
  begin(runId: string, from: number): Promise<RunFollower> {
    return this.#looked(runId, (follower) => follower.begin(from));
  }

  async #looked(runId: string, look: (follower: RunFollower) => Promise<void>): Promise<RunFollower> {
    const follower = this.#followers.get(runId) ?? new RunFollower(this.reader, checkRunId(runId));
    this.#keep(follower); // Before it is read: who asks meanwhile waits for the same reading.
    try {
      await look(follower);
    } catch (error) {
      if (follower.lines.length === 0) this.#forget(follower);
      throw error;
    }
    return follower;
  }

  #keep(follower: RunFollower): void {
    this.#followers.delete(follower.runId);
    this.#followers.set(follower.runId, follower); // The map's order is that of use.
    for (const other of this.#followers.values()) {
      if (this.#followers.size <= MOST_KEPT) return;
      if (!other.isWatched && other !== follower) this.#forget(other);
    }
  }

  #forget(follower: RunFollower): void {
    this.#followers.delete(follower.runId);
    follower.close();
  }
}
