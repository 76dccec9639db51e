import { spareMemoryBytes, usableCores } from '../machine/index.js';

export interface Recommendation {
  readonly workers: number;
  /** What the number follows from, for people. */
  readonly reason: string;
}

export interface TrainerNeeds {
  readonly threads: number;
  /** At a trainer's peak; undefined where the network is not known. */
  readonly memoryBytes?: number;
}

/** What the rule divides; a test has a machine of its own. */
export interface Room {
  readonly cores: number;
  readonly memoryBytes: number;
}

const here = (): Room => ({ cores: usableCores(), memoryBytes: spareMemoryBytes() });

/**
 * Trainers that the processor of one machine feeds best: as many as there are cores for their threads, as many small
 * trainers do more than few large ones (decision 0120), and no more than memory holds. At least one: whether it fits
 * is then for it to find out.
 */
export function recommendedWorkers({ threads, memoryBytes }: TrainerNeeds, room: Room = here()): Recommendation {
  const byCores = Math.max(1, Math.floor(room.cores / threads));
  const cores = `${room.cores} ${room.cores === 1 ? 'core' : 'cores'}, ${threads} ${threads === 1 ? 'thread' : 'threads'} each`;
  if (memoryBytes === undefined) return { workers: byCores, reason: cores };
  const byMemory = Math.max(1, Math.floor(room.memoryBytes / memoryBytes));
  if (byMemory >= byCores) return { workers: byCores, reason: cores };
  const gb = (bytes: number) => `${(bytes / 1e9).toFixed(1)} GB`;
  return {
    workers: byMemory,
    reason: `${gb(room.memoryBytes)} of memory to spare, about ${gb(memoryBytes)} each; there are cores for ${byCores}`,
  };
}
