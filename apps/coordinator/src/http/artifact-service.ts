import type { Dispatcher, OpenedFact } from '@nesgd/core/run';
import type { CacheFolder } from '@nesgd/core/storage';
import { artifactRoute, artifactsOf, incomingFolder, sweepIncoming } from '@nesgd/core/transfer';
import type { Watch } from '../run-events.js';
import { artifactHandler } from './artifact-handler.js';
import { startHttpServer } from './http-server.js';
import type { ListenSettings } from './listen-address.js';

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
  let largestBlobBytes = 0;
  await sweepIncoming(incomingFolder(cache));
  const handler = artifactHandler({
    cache,
    knows: (artifact) => known.has(artifactRoute(artifact)),
    received: (artifact) => known.add(artifactRoute(artifact)),
    get largestBlobBytes() {
      return largestBlobBytes;
    },
  });
  const server = await startHttpServer(listen, handler, (error) =>
    watch({ type: 'notice', text: `artifact service: ${error instanceof Error ? error.message : String(error)}` }),
  );
  return {
    url: server.url,
    serving(dispatcher, opened) {
      largestBlobBytes = largestCheckpointBytes(opened);
      return {
        async dispatch(job, handlers) {
          for (const artifact of artifactsOf(job)) known.add(artifactRoute(artifact));
          return dispatcher.dispatch(job, handlers);
        },
        close: () => dispatcher.close(),
      };
    },
    close: () => server.close(),
  };
}

/** Four bytes a parameter, as much again for what is no parameter (statistics of batch norm), and the header. */
function largestCheckpointBytes({ blocks }: OpenedFact): number {
  const parameters = blocks.reduce((sum, block) => sum + block.parameters, 0);
  return 8 * parameters + (1 << 20);
}
