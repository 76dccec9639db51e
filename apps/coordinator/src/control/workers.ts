import { InputError, NesgdError } from '@nesgd/core/errors';
import type { WorkerRecord } from '@nesgd/core/protocol';
import { listRuns, runHolder } from '@nesgd/core/run';
import type { WorkerList } from '@nesgd/core/view';
import type { Redis } from 'ioredis';
import { giveOrder } from './control-run.js';
import { drainWorker, readWorkers } from './worker-register.js';

/**
 * Workers are known to their broker. That of `REDIS_URL` is asked here; those that runs have started for themselves, by
 * way of the processes that work on these runs.
 */
export interface WorkerSources {
  readonly runsFolder: string;
  /** A connected client, where there is a broker that runs share. */
  readonly connection: Redis | undefined;
}

interface Source {
  readonly workers: readonly WorkerRecord[];
  drain(name: string): Promise<unknown>;
}

export async function listWorkers(sources: WorkerSources): Promise<WorkerList> {
  const { found, silent } = await askAll(sources);
  const all = found.flatMap(({ workers }) => workers);
  const byProcess = new Map(all.map((worker) => [`${worker.name} ${worker.host} ${worker.pid}`, worker]));
  const workers = [...byProcess.values()].sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
  return { workers, silent };
}

/**
 * Has a worker finish its job, take no other, and end.
 * @param id its name; where two have it, `name:pid`.
 * @throws InputError where there is none, or more than one.
 */
export async function drain(sources: WorkerSources, id: string): Promise<WorkerRecord> {
  const { found } = await askAll(sources);
  const known = new Map<string, { worker: WorkerRecord; source: Source }>();
  for (const source of found)
    for (const worker of source.workers)
      if (id === worker.name || id === `${worker.name}:${worker.pid}`)
        known.set(`${worker.host} ${worker.pid} ${worker.name}`, { worker, source });
  const [first, ...others] = known.values();
  if (!first) throw new InputError('WORKER_UNKNOWN', `there is no worker ${id}: "nesgd workers" lists them`);
  if (others.length > 0) {
    const ids = [first, ...others].map(({ worker }) => `${worker.name}:${worker.pid}`);
    throw new InputError('WORKER_AMBIGUOUS', `there are several workers ${id}: say which by ${ids.join(' or ')}`);
  }
  const { worker, source } = first;
  await source.drain(worker.name);
  return { ...worker, state: 'draining' };
}

async function askAll({ runsFolder, connection }: WorkerSources) {
  const silent: string[] = [];
  const ofRuns = (await listRuns(runsFolder)).map(async (runId): Promise<Source[]> => {
    // A folder of another program may have a name that no run can have.
    if (!(await runHolder(runsFolder, runId).catch(() => undefined))) return [];
    try {
      const { workers = [] } = await giveOrder(runsFolder, runId, { type: 'workers' });
      return [{ workers, drain: (name) => giveOrder(runsFolder, runId, { type: 'drain', worker: name }) }];
    } catch {
      silent.push(runId); // It prepares itself, has just ended, or its broker is away.
      return [];
    }
  });
  const ofBroker = connection && [{ workers: await workersOf(connection), drain: drainOn(connection) }];
  return { found: [...(ofBroker ?? []), ...(await Promise.all(ofRuns)).flat()], silent: silent.sort() };
}

async function workersOf(connection: Redis): Promise<WorkerRecord[]> {
  return readWorkers(connection).catch((cause) => {
    throw new NesgdError('BROKER_SILENT', 'the broker does not answer just now', true, { cause });
  });
}

const drainOn = (connection: Redis) => (name: string) => drainWorker(connection, name);
