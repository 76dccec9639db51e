import { setTimeout as wait } from 'node:timers/promises';
import type { Dispatcher, OpenedFact } from '@nesgd/core/run';
import { type CacheFolder, trainingKey } from '@nesgd/core/storage';
import { artifactRoute, artifactsOf, incomingFolder, sweepIncoming } from '@nesgd/core/transfer';
import { plural } from '../display/format.js';
import type { Watch } from '../run-events.js';
import { artifactHandler } from './artifact-handler.js';
import { type Handler, startHttpServer } from './http-server.js';
import type { ListenSettings } from './listen-address.js';
import { snapshotHandler } from './snapshot-handler.js';

/** Serves workers that share no file system with this machine. */
export interface ArtifactService {
  /** `http://host:port`. */
  readonly url: string;
  /**
   * Jobs sent through what this returns can be done elsewhere: what a job names becomes known before it is sent, and
   * weights of the run's network are taken.
   */
  serving(dispatcher: Dispatcher, opened: OpenedFact): Dispatcher;
  /** Waits a while for the last states of trainings that were put down elsewhere. */
  close(): Promise<void>;
}

/** A worker hears within two seconds that a job is given up, ends its step, and sends the state. */
const LAST_STATES_MS = 8_000;
const LOOK_EVERY_MS = 50;

/** @throws InputError where the address cannot be listened on. */
export async function startArtifactService(
  listen: ListenSettings,
  { cache, watch, lastStatesMs = LAST_STATES_MS }: { cache: CacheFolder; watch: Watch; lastStatesMs?: number },
): Promise<ArtifactService> {
  const known = new Set<string>();
  /** What jobs name, or workers stored as weights, by its SHA-256. */
  const weights = new Set<string>();
  /** Keys of the jobs under way; of those among them that a worker elsewhere asked for; of those given up since. */
  const underWay = new Set<string>();
  const elsewhere = new Set<string>();
  const givenUp = new Set<string>();
  let largestBlobBytes = 0;
  await sweepIncoming(incomingFolder(cache));
  const snapshots = snapshotHandler({
    cache,
    isUnderWay: (key) => underWay.has(key) || givenUp.has(key),
    isWeights: (sha256) => weights.has(sha256),
    asked: (key) => elsewhere.add(key),
    offered: (sha256) => known.add(artifactRoute({ kind: 'blobs', sha256 })),
    received: (key) => givenUp.delete(key),
    get largestBlobBytes() {
      return largestBlobBytes;
    },
  });
  const artifacts = artifactHandler({
    cache,
    knows: (artifact) => known.has(artifactRoute(artifact)),
    received: (artifact) => {
      known.add(artifactRoute(artifact));
      weights.add(artifact.sha256);
    },
    get largestBlobBytes() {
      return largestBlobBytes;
    },
  });
  const handler: Handler = async (request, response) =>
    (await snapshots(request, response)) === 'answered' ? 'answered' : artifacts(request, response);
  const server = await startHttpServer(listen, handler, (error) =>
    watch({ type: 'notice', text: `artifact service: ${error instanceof Error ? error.message : String(error)}` }),
  );
  return {
    url: server.url,
    serving(dispatcher, opened) {
      largestBlobBytes = largestCheckpointBytes(opened);
      return {
        async dispatch(job, handlers) {
          for (const artifact of artifactsOf(job)) {
            known.add(artifactRoute(artifact));
            weights.add(artifact.sha256);
          }
          const key = trainingKey(job);
          underWay.add(key);
          return dispatcher.dispatch(job, handlers).finally(() => {
            underWay.delete(key);
            if (elsewhere.delete(key) && handlers?.signal?.aborted) givenUp.add(key);
          });
        },
        close: () => dispatcher.close(),
      };
    },
    async close() {
      if (givenUp.size > 0) {
        const text = `waits up to ${lastStatesMs / 1000} s for the state of ${plural(givenUp.size, 'training')} on other machines`;
        watch({ type: 'notice', text });
      }
      const deadline = performance.now() + lastStatesMs;
      while (givenUp.size > 0 && performance.now() < deadline) await wait(LOOK_EVERY_MS);
      await server.close();
    },
  };
}

/**
 * Of the state of a training: four bytes a parameter, as much again for what is no parameter (statistics of batch norm),
 * both once more for the best epoch; velocities; and the header with the curve.
 */
function largestCheckpointBytes({ blocks }: OpenedFact): number {
  const parameters = blocks.reduce((sum, block) => sum + block.parameters, 0);
  return 20 * parameters + (2 << 20);
}
