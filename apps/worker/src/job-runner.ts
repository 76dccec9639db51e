import { NesgdError } from '@nesgd/core/errors';
import { type Job, stopsBetween, type WorkerReport } from '@nesgd/core/protocol';
import { cacheFolder, type Snapshot, SnapshotStore, trainingKey } from '@nesgd/core/storage';
import { TrainerSlot } from '@nesgd/core/trainer';
import type { Logger } from 'pino';
import { CoordinatorClient } from './artifacts/coordinator-client.js';
import { RemoteArtifacts } from './artifacts/remote-artifacts.js';
import type { WorkerConfig } from './config.js';
import { RefusedJobError } from './refused-job-error.js';

/** What a trainer meets where a file in the cache folder is gone or has changed. */
const CACHE_FAULTS = new Set(['BLOB_MISSING', 'BLOB_CORRUPT', 'DATASET_MISSING', 'DATASET_CORRUPT', 'CHECKPOINT']);
/** What this machine lacks and another may have. */
const LACKING_HERE = new Set(['ENGINE_UNAVAILABLE', 'DISK_FULL', 'OUT_OF_MEMORY']);
/** Time to send the state of the job in hand before it goes back. */
const SNAPSHOT_GRACE_MS = 6_000;

export type OnProgress = (progress: WorkerReport['progress']) => void;

/** Has a trainer child process do a job, once what the job names is here, and keeps how far it has come. */
export class JobRunner {
  readonly #slot: TrainerSlot;
  readonly #snapshots: SnapshotStore;
  /** Undefined where the cache folder is the coordinator's own. */
  readonly #artifacts: RemoteArtifacts | undefined;

  constructor(
    private readonly config: WorkerConfig,
    private readonly log: Logger,
  ) {
    const { cacheRoot, hangTimeoutMs, snapshotEpochs, coordinator, cacheLimitBytes } = config;
    const onOutput = (line: string) => log.debug({ line }, 'trainer output');
    this.#slot = new TrainerSlot({ cacheRoot, hangTimeoutMs, snapshotEpochs, onOutput });
    const cache = cacheFolder(cacheRoot);
    this.#snapshots = new SnapshotStore(cache);
    this.#artifacts =
      coordinator &&
      new RemoteArtifacts({ cache, coordinator: new CoordinatorClient(coordinator), log, cacheLimitBytes });
  }

  /** Removes states of trainings that nobody will go on with. */
  async sweep(): Promise<void> {
    await this.#snapshots.sweep();
  }

  /** See TrainerSlot.ping. */
  pingTrainer(): number | undefined {
    return this.#slot.ping();
  }

  /**
   * Fetches what the job names, has it done, and sends the weights that it stored.
   * @throws RefusedJobError where this worker cannot do the job; the signal's reason.
   */
  async run(job: Job, onProgress: OnProgress, signal: AbortSignal) {
    const train = () => this.#train(job, onProgress, signal);
    const artifacts = this.#artifacts;
    if (!artifacts) return train();

    let release = await artifacts.prepare(job, signal);
    try {
      const done = await train().catch(async (error) => {
        if (signal.aborted || !(error instanceof NesgdError && CACHE_FAULTS.has(error.code))) throw error;
        await artifacts.discardDamaged(job);
        release();
        release = await artifacts.prepare(job, signal);
        return train();
      });
      await artifacts.deliver(done.result, signal);
      // Whoever goes on with it may be elsewhere.
      if (stopsBetween(job)) await artifacts.snapshots.allSent(signal);
      return done;
    } finally {
      release();
    }
  }

  /** Waits a while for the state of the job in hand to be sent. */
  async stateSent(): Promise<void> {
    await this.#artifacts?.snapshots.sent(SNAPSHOT_GRACE_MS);
  }

  /** The job has left this worker, done or not. @param isWanted somebody may go on with it. */
  async leave(job: Job, isWanted: boolean): Promise<void> {
    await this.#artifacts?.snapshots.leave(job, isWanted);
  }

  /** The job's result is with the queue, so its states are of no use, unless another part goes on from them. */
  async forgetStates(job: Job): Promise<void> {
    if (!stopsBetween(job)) await this.#snapshots.clearAll(trainingKey(job));
  }

  async close(): Promise<void> {
    await this.#slot.close();
  }

  async #train(job: Job, onProgress: OnProgress, signal: AbortSignal) {
    const onNotice = (text: string) => this.log.warn({ runId: job.runId, kind: job.kind }, text);
    const onSnapshot = (snapshot: Snapshot) => this.#artifacts?.snapshots.send(job, snapshot);
    try {
      return await this.#slot.run(job, { onProgress, onNotice, onSnapshot, signal });
    } catch (error) {
      const lacking = error instanceof NesgdError && LACKING_HERE.has(error.code);
      // The run that started this worker chose the engine and the cache: it shall end with the reason, not wait.
      if (!lacking || this.config.ownRunIds.includes(job.runId)) throw error;
      throw new RefusedJobError(error.code, error.message, { cause: error });
    }
  }
}
