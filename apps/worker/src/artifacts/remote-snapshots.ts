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

/** A snapshot is worth fetching, but not for long without a byte: without it the training begins anew. */
const PATIENCE_MS = 60_000;

/**
 * Between this machine's snapshots and the coordinator's, so that a job goes on on another machine. Whatever fails here
 * costs time at most, and is logged.
 */
export class RemoteSnapshots {
  readonly #store: SnapshotStore;
  #sending: Promise<void> | undefined;
  /** Name of the job in hand. */
  #current: string | undefined;
  /** What the coordinator has of ours. */
  #taken: { readonly name: string; readonly sha256: string } | undefined;
  #next: (() => Promise<void>) | undefined;

  constructor(private readonly options: RemoteSnapshotsOptions) {
    this.#store = new SnapshotStore(options.cache);
  }

  /** Fetches a job's snapshot where the coordinator's is further than ours. */
  async bring(job: Job, signal: AbortSignal): Promise<void> {
    if (!('training' in job)) return;
    const { cache, coordinator, log, patience } = this.options;
    const name = nameOf(job);
    this.#current = name;
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

  /**
   * The job has left this worker, done or not: whoever gets it next asks the coordinator, and what that has, or nobody
   * wants, is not kept here as well. What could not be sent stays, for this machine may get the job again.
   */
  async leave(job: Job, isWanted: boolean): Promise<void> {
    const name = nameOf(job);
    this.#current = undefined;
    await this.#sending;
    const ours = await this.#store.find(name);
    if (!ours || this.#current === name) return;
    const isElsewhere = this.#taken?.name === name && this.#taken.sha256 === ours.sha256;
    if (isWanted && !isElsewhere) return;
    await this.#store.clear(name).catch((error) => {
      this.options.log.warn({ error: String(error) }, 'the snapshot of a job that is gone could not be removed');
    });
  }

  /** Waits until all is sent, so long at most. */
  async sent(timeoutMs: number): Promise<void> {
    await Promise.race([this.#sending, delay(timeoutMs, undefined, { ref: false })]);
  }

  /** Waits until all is sent, however long that takes. @throws the signal's reason */
  async allSent(signal: AbortSignal): Promise<void> {
    const aborted = new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
    await Promise.race([this.#sending, aborted]);
    signal.throwIfAborted();
  }

  async #sendAll(): Promise<void> {
    for (let next = this.#next; next; next = this.#next) {
      this.#next = undefined;
      await next();
    }
  }

  async #sendNow(name: string, snapshot: Snapshot): Promise<void> {
    const { cache, coordinator, log } = this.options;
    try {
      // However long it takes, as long as it goes on: the client gives up on a coordinator that is silent.
      const path = artifactPath(cache, blobOf(snapshot));
      const taken = await coordinator.putState(name, snapshot, path, new AbortController().signal);
      if (taken) this.#taken = { name, sha256: snapshot.sha256 };
      log.debug({ steps: snapshot.steps, taken }, 'sent how far the job has come');
    } catch (error) {
      log.warn({ error: String(error) }, 'the snapshot of the job could not be sent');
    }
  }
}

const nameOf = (job: Job) => keyOnProcessor(trainingKey(job), computedOn(job.runtime));

const blobOf = ({ sha256 }: Snapshot): Artifact => ({ kind: 'blobs', sha256 });
