import type { Dispatcher } from '@nesgd/core/run';
import type { Broker } from './broker.js';
import { LocalDispatcher } from './dispatch/local-dispatcher.js';
import { QueueDispatcher } from './dispatch/queue-dispatcher.js';
import { LocalWorkers } from './local-workers.js';
import type { Watch } from './run-events.js';

/** Who does the jobs of one run on this machine. */
export interface Crew {
  readonly dispatcher: Dispatcher;
  /** Aborted, with the reason, when none of the workers started here can be kept alive. */
  readonly lost: AbortSignal;
  dismiss(): Promise<void>;
}

/** What is borne before a trainer or a job is given up. */
export interface Tolerance {
  readonly hangTimeoutMs: number;
  readonly attempts: number;
}

export interface CrewOptions {
  readonly runId: string;
  /** On a queue 0 is allowed: then the work is done by those who joined elsewhere. */
  readonly workers: number;
  readonly cacheRoot: string;
  readonly logFolder: string;
  readonly watch: Watch;
  readonly tolerance: Tolerance;
}

/** The dispatcher and, on a queue, the local worker processes behind it. */
export async function hire(
  broker: Broker,
  { runId, workers, cacheRoot, logFolder, watch, tolerance }: CrewOptions,
): Promise<Crew> {
  const lost = new AbortController();
  if (broker.kind === 'local') {
    const dispatcher = new LocalDispatcher({ workers, cacheRoot, ...tolerance });
    return { dispatcher, lost: lost.signal, dismiss: () => dispatcher.close() };
  }
  const dispatcher = await QueueDispatcher.connect({ connection: broker.connection, attempts: tolerance.attempts });
  const local = new LocalWorkers({
    count: workers,
    redisUrl: broker.url,
    cacheRoot,
    logFolder,
    watch,
    runId,
    onLost: (error) => lost.abort(error),
  });
  return {
    dispatcher,
    lost: lost.signal,
    dismiss: async () => {
      await dispatcher.close();
      await local.close();
    },
  };
}
