import { setTimeout as delay } from 'node:timers/promises';
import { computedOn } from '@nesgd/core/machine';
import type { Job } from '@nesgd/core/protocol';
import { type CacheFolder, keyOnProcessor, type Snapshot, SnapshotStore, trainingKey } from '@nesgd/core/storage';
import { type Artifact, artifactPath } from '@nesgd/core/transfer';
import type { Logger } from 'pino';
import type { CoordinatorClient } from './coordinator-client.js';
import { fetchArtifact, type Patience } from './fetch-artifact.js';

export interface RemoteSnapshotsOptions {
  readonly cache: CacheFolder;
  readonly coordinator: CoordinatorClient;
  readonly log: Logger;
  readonly patience: Patience;
}

/** Snapshots are worth waiting for, but not long: without one the training begins anew. */
const PATIENCE_MS = 60_000;

/**
 * Between this machine's snapshots and the coordinator's, so that a job goes on on another machine. Whatever fails here
 * costs time at most, and is logged.
 */
export class RemoteSnapshots {
  readonly #store: SnapshotStore;
  #sending: Promise<void> | undefined;
  #next: (() => Promise<void>) | undefined;

  constructor(private readonly options: RemoteSnapshotsOptions) {
    this.#store = new SnapshotStore(options.cache);
  }

  /** Fetches a job's snapshot where the coordinator's is further than ours. */
  async bring(job: Job, signal: AbortSignal): Promise<void> {
    if (!('training' in job)) return;
    const { cache, coordinator, log, patience } = this.options;
    const name = nameOf(job);
    try {
      const [ours, theirs] = [await this.#store.find(name), await coordinator.snapshot(name, signal)];
      if (!theirs || (ours && ours.steps >= theirs.steps)) return;
      const patienceMs = Math.min(PATIENCE_MS, patience.patienceMs);
      await fetchArtifact(blobOf(theirs), { ...patience, patienceMs, cache, coordinator, signal });
      await this.#store.point(name, theirs);
      log.info({ steps: theirs.steps }, 'fetched how far another worker has come with the job');
    } catch (error) {
      signal.throwIfAborted();
      log.warn({ error: String(error) }, 'no snapshot of the job could be fetched');
    }
  }

  /** Sends the coordinator a job's snapshot, in the background; of those that wait only the last is sent. */
  send(job: Job, snapshot: Snapshot): void {
    this.#next = () => this.#sendNow(nameOf(job), snapshot);
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined;
    });
  }

  /** Waits until all is sent, so long at most. */
  async sent(timeoutMs: number): Promise<void> {
    await Promise.race([this.#sending, delay(timeoutMs, undefined, { ref: false })]);
  }

  async #sendAll(): Promise<void> {
    for (let next = this.#next; next; next = this.#next) {
      this.#next = undefined;
      await next();
    }
  }

  async #sendNow(name: string, snapshot: Snapshot): Promise<void> {
    const { cache, coordinator, log } = this.options;
    const signal = AbortSignal.timeout(PATIENCE_MS);
    try {
      await coordinator.put(blobOf(snapshot), artifactPath(cache, blobOf(snapshot)), signal);
      const taken = await coordinator.putSnapshot(name, snapshot, signal);
      log.debug({ steps: snapshot.steps, taken }, 'sent how far the job has come');
    } catch (error) {
      log.warn({ error: String(error) }, 'the snapshot of the job could not be sent');
    }
  }
}

const nameOf = (job: Job) => keyOnProcessor(trainingKey(job), computedOn(job.runtime));

const blobOf = ({ sha256 }: Snapshot): Artifact => ({ kind: 'blobs', sha256 });
