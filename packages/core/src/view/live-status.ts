import { z } from 'zod';
import { epochRecordSchema } from '../protocol/index.js';

/**
 * `runs/<id>/live.json`: what a run does just now, rewritten as a whole a few times a second by the process that works
 * on it, read by whoever watches. Nothing depends on it: the facts are in the journal.
 */
export const liveStatusSchema = z.object({
  version: z.literal(1),
  /** When it was written; ISO 8601, UTC. */
  at: z.iso.datetime(),
  circumstances: z.object({
    /** `redis://host:port`, or `local`. */
    broker: z.string(),
    engine: z.string(),
    threads: z.int(),
    /** Started by this run; others may have joined. */
    workers: z.int(),
    trainImages: z.int(),
    validationImages: z.int(),
    testImages: z.int(),
  }),
  phase: z.object({ name: z.enum(['alpha', 'generation', 'test']), t: z.int().nullable() }).nullable(),
  /** Of this phase; `retried` since this process began. */
  jobs: z.object({
    total: z.int(),
    done: z.int(),
    active: z.int(),
    waiting: z.int(),
    /** Individuals that needed no job. */
    answered: z.int(),
    retried: z.int(),
  }),
  /** An estimate, in milliseconds. */
  remainingMs: z.number().nullable(),
  active: z.array(
    z.object({
      /** `alpha`, `<mask>/<repeat>`, `test-best`: unique within the run. */
      id: z.string(),
      text: z.string(),
      worker: z.string(),
      startedAt: z.iso.datetime(),
      epochs: z.int().nullable(),
      imagesPerSecond: z.number().nullable(),
      /** The epochs so far. */
      curve: z.array(epochRecordSchema),
    }),
  ),
  workers: z.array(
    z.object({
      name: z.string(),
      /** What it does, in words; null: it waits. */
      job: z.string().nullable(),
      jobsDone: z.int(),
      /** Jobs that went back to the queue from it. */
      failures: z.int(),
      imagesPerSecond: z.number().nullable(),
      /** Resident memory of its trainer, as last reported. */
      memoryBytes: z.int().nullable().default(null),
      lastHeardAt: z.iso.datetime(),
    }),
  ),
  /** What a person should know, oldest first; the last 200. */
  log: z.array(z.object({ at: z.iso.datetime(), kind: z.enum(['notice', 'retry']), text: z.string() })),
});
export type LiveStatus = z.infer<typeof liveStatusSchema>;

/** In the run's folder. */
export const LIVE_STATUS_FILE = 'live.json';
