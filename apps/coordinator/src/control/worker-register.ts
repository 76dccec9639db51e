import { InputError } from '@nesgd/core/errors';
import {
  drainKey,
  ORDER_LIFETIME_S,
  registeredWorkers,
  type WorkerRecord,
  workerRecordSchema,
} from '@nesgd/core/protocol';
import type { Redis } from 'ioredis';

/** The workers that a broker knows, by name. What is no record is left out. @throws where it does not answer. */
export async function readWorkers(connection: Redis): Promise<WorkerRecord[]> {
  return [...(await registeredWorkers(connection)).values()].flatMap((text) => {
    const record = workerRecordSchema.safeParse(safeJson(text));
    return record.success ? [record.data] : [];
  });
}

/** Has a worker finish its job, take no other, and end. @throws InputError where no worker has this name. */
export async function drainWorker(connection: Redis, name: string): Promise<void> {
  if (!(await readWorkers(connection)).some((worker) => worker.name === name))
    throw new InputError('WORKER_UNKNOWN', `there is no worker ${name}`);
  await connection.set(drainKey(name), '', 'EX', ORDER_LIFETIME_S);
}

function safeJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
