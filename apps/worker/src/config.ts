import { hostname } from 'node:os';
import { defaultCacheRoot } from '@nesgd/core/storage';
import { hangTimeoutMs } from '@nesgd/core/trainer';
import { z } from 'zod';
import type { CoordinatorAddress } from './artifacts/coordinator-client.js';

/** A variable that is set to nothing is not set. */
const optional = <T extends z.ZodType>(schema: T) => z.preprocess((value) => value || undefined, schema.optional());

/** The worker's settings: the one place that reads its environment. Durations in milliseconds. */
const envSchema = z
  .object({
    REDIS_URL: z.url({ protocol: /^rediss?$/, error: 'REDIS_URL wants redis://host:port or rediss://host:port' }),
    NESGD_WORKER_NAME: z.string().min(1).default(`${hostname()}-${process.pid}`),
    /** A worker that has not renewed its lock for this long is taken for dead and its job given to another. */
    NESGD_LOCK_DURATION_MS: z.coerce.number().int().min(500).default(15_000),
    /** How often workers look for jobs whose worker is dead. */
    NESGD_STALLED_INTERVAL_MS: z.coerce.number().int().min(100).default(5_000),
    /** How long a trainer may show no progress, not one training step, before it is killed. */
    NESGD_HANG_TIMEOUT_S: optional(z.coerce.number().positive()),
    /** How often a worker says on the broker what it does, and looks whether it is told something. */
    NESGD_PULSE_MS: z.coerce.number().int().min(50).max(60_000).default(2_000),
    NESGD_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
    /** Where data sets and weights come from and go to; without it the cache folder is the coordinator's own. */
    NESGD_COORDINATOR: optional(
      z
        .url({ protocol: /^https?$/, error: 'wants http://host:port or https://host:port' })
        .refine(
          (text) => /^https?:\/\/[^@?#]+$/.test(text),
          'wants an address without user, password, query or fragment',
        ),
    ),
    NESGD_SECRET: optional(z.string()),
    /** Most that fetched data sets and weights may take. */
    NESGD_CACHE_LIMIT_GB: optional(z.coerce.number().positive()),
    /** How long a worker that could not do a job leaves the queue to others; doubled each time in a row, 16-fold at most. */
    NESGD_REFUSAL_PAUSE_MS: z.coerce.number().int().min(1).default(5_000),
    /** The run that started this worker, which must hear of what this machine lacks instead of waiting for another one. */
    NESGD_OWN_RUN: optional(z.string()),
  })
  .refine((env) => env.NESGD_COORDINATOR === undefined || env.NESGD_SECRET !== undefined, {
    path: ['NESGD_SECRET'],
    error: 'NESGD_COORDINATOR is set: NESGD_SECRET must be the secret of that coordinator',
  });

export interface WorkerConfig {
  readonly redisUrl: string;
  readonly name: string;
  readonly lockDurationMs: number;
  readonly stalledIntervalMs: number;
  readonly hangTimeoutMs: number;
  readonly pulseMs: number;
  readonly logLevel: string;
  readonly cacheRoot: string;
  readonly coordinator: CoordinatorAddress | undefined;
  readonly cacheLimitBytes: number | undefined;
  readonly refusalPauseMs: number;
  readonly ownRunId: string | undefined;
}

/** @throws z.ZodError naming each variable at fault. */
export function readConfig(env: NodeJS.ProcessEnv): WorkerConfig {
  const parsed = envSchema.parse(env);
  return {
    redisUrl: parsed.REDIS_URL,
    name: parsed.NESGD_WORKER_NAME,
    lockDurationMs: parsed.NESGD_LOCK_DURATION_MS,
    stalledIntervalMs: parsed.NESGD_STALLED_INTERVAL_MS,
    hangTimeoutMs: hangTimeoutMs({ NESGD_HANG_TIMEOUT_S: parsed.NESGD_HANG_TIMEOUT_S?.toString() }),
    pulseMs: parsed.NESGD_PULSE_MS,
    logLevel: parsed.NESGD_LOG_LEVEL,
    cacheRoot: defaultCacheRoot(env),
    coordinator:
      parsed.NESGD_COORDINATOR !== undefined && parsed.NESGD_SECRET !== undefined
        ? { url: parsed.NESGD_COORDINATOR, secret: parsed.NESGD_SECRET }
        : undefined,
    cacheLimitBytes: parsed.NESGD_CACHE_LIMIT_GB === undefined ? undefined : parsed.NESGD_CACHE_LIMIT_GB * 1e9,
    refusalPauseMs: parsed.NESGD_REFUSAL_PAUSE_MS,
    ownRunId: parsed.NESGD_OWN_RUN,
  };
}
