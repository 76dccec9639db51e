import { stopsBetween } from '@nesgd/core/protocol';
import type { Dispatcher } from '@nesgd/core/run';
import { type CacheFolder, SnapshotStore, trainingKey } from '@nesgd/core/storage';

/** A dispatcher that removes what this machine keeps of a job's training once the job is done, unless another goes on with it. */
export function clearingSnapshots(dispatcher: Dispatcher, cache: CacheFolder): Dispatcher {
  const store = new SnapshotStore(cache);
  return {
    async dispatch(job, handlers) {
      const outcome = await dispatcher.dispatch(job, handlers);
      if (stopsBetween(job)) return outcome;
      await store.clearAll(trainingKey(job)).catch(() => {}); // It takes room and harms nothing; a later sweep removes it.
      return outcome;
    },
    close: () => dispatcher.close(),
  };
}
