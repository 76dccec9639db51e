import type { BlobStore, Snapshot, SnapshotStore } from '../storage/index.js';
import type { ModelSpec } from './models/index.js';
import type { Snapshots } from './train.js';
import { formatTrainingState, parseTrainingState, type TrainingState } from './training-state.js';

export interface JobSnapshotsOptions {
  readonly store: SnapshotStore;
  readonly blobs: BlobStore;
  /** `keyOnProcessor` of the job's training here. */
  readonly name: string;
  readonly spec: ModelSpec;
  /** A snapshot every so many epochs. Undefined: after an epoch that ends a minute or more after the last snapshot. */
  readonly everyEpochs?: number | undefined;
  readonly onKept?: ((snapshot: Snapshot) => void) | undefined;
  /** A snapshot cannot be used, or not be kept: what happens instead. */
  readonly onNotice?: ((text: string) => void) | undefined;
}

const DEFAULT_INTERVAL_MS = 60_000;

/**
 * The snapshots of one job in a cache folder. They only save time: whatever is wrong with one, the training begins
 * anew, and one that cannot be written is done without.
 */
export class JobSnapshots implements Snapshots {
  #lastAt = performance.now();

  private constructor(
    private readonly options: JobSnapshotsOptions,
    readonly from: TrainingState | undefined,
  ) {}

  static async open(options: JobSnapshotsOptions): Promise<JobSnapshots> {
    return new JobSnapshots(options, await read(options));
  }

  due(epoch: number): boolean {
    const { everyEpochs } = this.options;
    if (everyEpochs !== undefined) return epoch % everyEpochs === 0;
    return performance.now() - this.#lastAt >= DEFAULT_INTERVAL_MS;
  }

  async keep(state: TrainingState): Promise<void> {
    const { store, name, spec, onKept, onNotice } = this.options;
    try {
      const snapshot = await store.keep(name, state.steps, formatTrainingState(spec, name, state));
      if (snapshot) onKept?.(snapshot);
    } catch (error) {
      onNotice?.(`no snapshot of the training could be kept: ${error instanceof Error ? error.message : error}`);
    }
    this.#lastAt = performance.now();
  }
}

async function read({ store, blobs, name, spec, onNotice }: JobSnapshotsOptions): Promise<TrainingState | undefined> {
  const snapshot = await store.find(name);
  if (!snapshot) return undefined;
  try {
    const state = parseTrainingState(await blobs.get(snapshot.sha256), spec, name, blobs.path(snapshot.sha256));
    onNotice?.(`goes on from its snapshot: ${state.curve.length} epochs and ${state.images} images are done`);
    return state;
  } catch (error) {
    const why = error instanceof Error ? error.message : error;
    onNotice?.(`its snapshot is discarded, the training begins anew: ${why}`);
    await store.clear(name).catch(() => {}); // Read again next time, and discarded again.
    return undefined;
  }
}
