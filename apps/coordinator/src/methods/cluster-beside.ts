import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { type ClusterPool, cluster } from '@nesgd/core/evolution';

/** The built one, also where this file is not: a thread loads no TypeScript. */
const THREAD = new URL('../../dist/methods/cluster-thread.js', import.meta.url);
/** Masks; fewer are clustered sooner (in about 0.1 s) than a thread is worth. */
const WORTH_A_THREAD = 2_000;

/** Clusters large pools in a thread: jobs are sent and their results written down meanwhile. */
export function clusterBeside(signal: AbortSignal, worthAThread = WORTH_A_THREAD): ClusterPool {
  return async (...asked) => {
    const [masks] = asked;
    if (masks.length < worthAThread) return cluster(...asked);
    signal.throwIfAborted();
    const thread = new Worker(THREAD, { workerData: asked });
    try {
      const [clusters] = (await once(thread, 'message', { signal })) as [Int32Array];
      return clusters;
    } catch (error) {
      signal.throwIfAborted();
      throw error;
    } finally {
      await thread.terminate();
    }
  };
}
