import { hostname } from 'node:os';
import { InputError } from '@nesgd/core/errors';
import type { CardPlace } from '@nesgd/core/machine';
import type { WorkerRecord } from '@nesgd/core/protocol';
import type { Broker } from './broker.js';
import { drainWorker, readWorkers } from './control/worker-register.js';
import type { ControlledDispatcher } from './dispatch/dispatch-control.js';
import { LocalDispatcher } from './dispatch/local-dispatcher.js';
import { QueueDispatcher } from './dispatch/queue-dispatcher.js';
import { JoinWatch } from './join-watch.js';
import { LocalWorkers, localWorkerNames } from './local-workers.js';
import type { Watch } from './run-events.js';

/** Who does the jobs of one run on this machine. */
export interface Crew {
  readonly dispatcher: ControlledDispatcher;
  /** Aborted, with the reason, when none of the workers started here can be kept alive and no others have joined. */
  readonly lost: AbortSignal;
  /** Those that the broker knows, of other machines and for other runs as well. @throws where it does not answer. */
  workers(): Promise<WorkerRecord[]>;
  /** @throws InputError for a worker that is not there, or has no broker to hear it from. */
  drain(worker: string): Promise<void>;
  dismiss(): Promise<void>;
}

/** What is borne before a trainer or a job is given up. */
export interface Tolerance {
  readonly hangTimeoutMs: number;
  readonly snapshotEpochs: number | undefined;
  readonly attempts: number;
}

export interface CrewOptions {
  /** The runs that it works for: what this machine lacks for their jobs is an error, not a reason to wait for others. */
  readonly runIds: readonly string[];
  /** On a queue 0 is allowed: then the work is done by those who joined elsewhere. */
  readonly workers: number;
  /** Cards that they compute on, one each. */
  readonly places: readonly CardPlace[];
  readonly cacheRoot: string;
  readonly logFolder: string;
  readonly watch: Watch;
  readonly tolerance: Tolerance;
  /** How one joins a run that has no workers of its own. */
  readonly joinAdvice: string;
}

/** The dispatcher and, on a queue, the local worker processes behind it. */
export async function hire(
  broker: Broker,
  { runIds, workers, places, cacheRoot, logFolder, watch, tolerance, joinAdvice }: CrewOptions,
): Promise<Crew> {
  const lost = new AbortController();
  if (broker.kind === 'local') {
    const dispatcher = new LocalDispatcher({
      workers,
      places,
      cacheRoot,
      ...tolerance,
      onNotice: (text) => watch({ type: 'notice', text }),
    });
    return {
      dispatcher,
      lost: lost.signal,
      workers: async () => dispatcher.workers.map((worker) => ({ ...worker, local: true })),
      async drain(worker) {
        throw new InputError(
          'WORKER_LOCAL',
          `${worker} is a trainer of a run without a broker, which nobody else works for: pause or stop the run instead`,
        );
      },
      dismiss: () => dispatcher.close(),
    };
  }
  const dispatcher = await QueueDispatcher.connect({ connection: broker.connection, attempts: tolerance.attempts });
  // On a broker that others use as well, names must differ from theirs.
  const prefix = broker.own ? 'worker' : `${hostname()}-${process.pid}`;
  const joined = new JoinWatch({
    connection: broker.connection,
    own: localWorkerNames(workers, prefix),
    advice: joinAdvice,
    watch,
  });
  const local = new LocalWorkers({
    count: workers,
    places,
    prefix,
    redisUrl: broker.url,
    cacheRoot,
    logFolder,
    watch,
    runIds,
    onLost: (error) =>
      void joined.workers().then(
        (others) => {
          if (others.length === 0) return lost.abort(error);
          watch({ type: 'notice', text: `${error.message}. The run goes on with workers that joined` });
          joined.start();
        },
        () => lost.abort(error),
      ),
    onDrained: () => joined.start(),
  });
  if (workers === 0) joined.start();
  return {
    dispatcher,
    lost: lost.signal,
    workers: () => readWorkers(broker.connection),
    drain: (worker) => drainWorker(broker.connection, worker),
    dismiss: async () => {
      joined.stop();
      await dispatcher.close();
      await local.close();
    },
  };
}
