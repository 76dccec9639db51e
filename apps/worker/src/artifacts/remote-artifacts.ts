import { rm, utimes } from 'node:fs/promises';
import { NesgdError } from '@nesgd/core/errors';
import type { Job, JobResult } from '@nesgd/core/protocol';
import { type CacheFolder, SnapshotStore, sha256OfFile } from '@nesgd/core/storage';
import {
  type Artifact,
  artifactPath,
  artifactsOf,
  incomingFolder,
  lastUsePath,
  sweepIncoming,
} from '@nesgd/core/transfer';
import type { Logger } from 'pino';
import { RefusedJobError } from '../refused-job-error.js';
import { makeRoom } from './cache-limit.js';
import type { CoordinatorClient } from './coordinator-client.js';
import { DEFAULT_PATIENCE, fetchArtifact, type Patience } from './fetch-artifact.js';
import { RemoteSnapshots } from './remote-snapshots.js';
import { retry } from './retry.js';

export interface RemoteArtifactsOptions {
  readonly cache: CacheFolder;
  readonly coordinator: CoordinatorClient;
  readonly log: Logger;
  /** Most that data sets and weights may take of the disk. */
  readonly cacheLimitBytes?: number | undefined;
  readonly patience?: Patience;
}

const TOUCH_MS = 60_000;

/**
 * Between a cache folder of this machine's own and the coordinator: what a job names comes before the job, weights
 * that it stored go after it. Where that fails the job is refused, so that another worker gets it.
 */
export class RemoteArtifacts {
  #inUse: readonly Artifact[] = [];

  /** How far trainings under way have come. */
  readonly snapshots: RemoteSnapshots;

  constructor(private readonly options: RemoteArtifactsOptions) {
    this.snapshots = new RemoteSnapshots({ patience: DEFAULT_PATIENCE, ...options });
  }

  /**
   * Brings everything the job names and keeps it from being removed until what this returns is called.
   * @throws RefusedJobError, the signal's reason.
   */
  async prepare(job: Job, signal: AbortSignal): Promise<() => void> {
    const { cache, coordinator, log, patience = DEFAULT_PATIENCE } = this.options;
    const artifacts = artifactsOf(job);
    this.#inUse = artifacts;
    await this.#touch();
    const touching = setInterval(() => this.#touch(), TOUCH_MS).unref();
    const release = () => {
      clearInterval(touching);
      this.#inUse = [];
    };
    try {
      await sweepIncoming(incomingFolder(cache));
      await new SnapshotStore(cache).sweep();
      for (const artifact of artifacts) {
        const started = performance.now();
        const fetched = await fetchArtifact(artifact, {
          ...patience,
          cache,
          coordinator,
          signal,
          makeRoom: (bytes) => this.#makeRoom(bytes),
          onFailure: (error, delayMs) => log.warn({ ...artifact, delayMs: Math.round(delayMs) }, error.message),
        });
        if (fetched) log.info({ ...artifact, seconds: (performance.now() - started) / 1000 }, 'fetched');
      }
      await this.snapshots.bring(job, signal);
      return release;
    } catch (error) {
      release();
      throw this.#refusal(error, signal);
    }
  }

  /** Sends the coordinator the weights that a job stored, unless it has them. Throws as `prepare`. */
  async deliver(result: JobResult, signal: AbortSignal): Promise<void> {
    if (!result.weights) return;
    const { cache, coordinator, log, patience = DEFAULT_PATIENCE } = this.options;
    const artifact: Artifact = { kind: 'blobs', sha256: result.weights };
    try {
      await retry(
        async () => {
          if (await coordinator.has(artifact, signal)) return;
          await coordinator.put(artifact, artifactPath(cache, artifact), signal);
          log.info({ ...artifact }, 'sent');
        },
        {
          ...patience,
          signal,
          onFailure: (error, delayMs) => log.warn({ ...artifact, delayMs: Math.round(delayMs) }, error.message),
        },
      );
      await this.#makeRoom(0);
    } catch (error) {
      throw this.#refusal(error, signal);
    }
  }

  /** Deletes what the job names and has changed on the disk, so that it is fetched anew. */
  async discardDamaged(job: Job): Promise<void> {
    for (const artifact of artifactsOf(job)) {
      const path = artifactPath(this.options.cache, artifact);
      const sha256 = await sha256OfFile(path).catch(() => undefined);
      if (sha256 === artifact.sha256 || sha256 === undefined) continue;
      this.options.log.warn({ ...artifact }, 'the file has changed on the disk; it is fetched anew');
      await rm(path, { force: true });
    }
  }

  async #makeRoom(incomingBytes: number): Promise<void> {
    const { cache, cacheLimitBytes, log } = this.options;
    if (cacheLimitBytes === undefined) return;
    const keep = new Set(this.#inUse.map((artifact) => artifactPath(cache, artifact)));
    const overBytes = await makeRoom(cache, { limitBytes: cacheLimitBytes, incomingBytes, keep });
    if (overBytes > 0) log.warn({ overBytes }, 'what the current jobs use is more than NESGD_CACHE_LIMIT_GB');
  }

  async #touch(): Promise<void> {
    const now = new Date();
    const { cache } = this.options;
    await Promise.allSettled(this.#inUse.map((artifact) => utimes(lastUsePath(cache, artifact), now, now)));
  }

  /** Whatever went wrong here - the way, the coordinator, this machine's disk - is no fault of the job. */
  #refusal(error: unknown, signal: AbortSignal): unknown {
    if (signal.aborted) return signal.reason;
    const code = error instanceof NesgdError ? error.code : 'ARTIFACT_TRANSFER';
    const message = error instanceof Error ? error.message : String(error);
    return new RefusedJobError(code, message, { cause: error });
  }
}
