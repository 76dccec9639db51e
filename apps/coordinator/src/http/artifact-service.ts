import type { Dispatcher, OpenedFact } from '@nesgd/core/run';
import { type CacheFolder, trainingKey } from '@nesgd/core/storage';
import { artifactRoute, artifactsOf, incomingFolder, sweepIncoming } from '@nesgd/core/transfer';
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
  close(): Promise<void>;
}

/** @throws InputError where the address cannot be listened on. */
export async function startArtifactService(
  listen: ListenSettings,
  { cache, watch }: { cache: CacheFolder; watch: Watch },
): Promise<ArtifactService> {
  const known = new Set<string>();
  /** What jobs name, by its SHA-256; what workers sent; keys of the jobs under way. */
  const named = new Set<string>();
  const uploaded = new Set<string>();
  const underWay = new Set<string>();
  let largestBlobBytes = 0;
  await sweepIncoming(incomingFolder(cache));
  const snapshots = snapshotHandler({
    cache,
    isUnderWay: (key) => underWay.has(key),
    wasUploaded: (sha256) => uploaded.has(sha256) && !named.has(sha256),
    offered: (sha256) => known.add(artifactRoute({ kind: 'blobs', sha256 })),
  });
  const artifacts = artifactHandler({
    cache,
    knows: (artifact) => known.has(artifactRoute(artifact)),
    received: (artifact) => {
      known.add(artifactRoute(artifact));
      uploaded.add(artifact.sha256);
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
            named.add(artifact.sha256);
          }
          const key = trainingKey(job);
          underWay.add(key);
          return dispatcher.dispatch(job, handlers).finally(() => underWay.delete(key));
        },
        close: () => dispatcher.close(),
      };
    },
    close: () => server.close(),
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
