import { hostname } from 'node:os';
import { defaultCacheRoot } from '@nesgd/core/storage';
import { z } from 'zod';

/** The worker's settings: the one place that reads its environment. Durations in milliseconds. */
const envSchema = z.object({
  REDIS_URL: z.url({ protocol: /^rediss?$/, error: 'REDIS_URL wants redis://host:port or rediss://host:port' }),
  NESGD_WORKER_NAME: z.string().min(1).default(`${hostname()}-${process.pid}`),
  /** A worker that has not renewed its lock for this long is taken for dead and its job given to another. */
  NESGD_LOCK_DURATION_MS: z.coerce.number().int().min(500).default(15_000),
  /** How often workers look for jobs whose worker is dead. */
  NESGD_STALLED_INTERVAL_MS: z.coerce.number().int().min(100).default(5_000),
  NESGD_LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'),
});

export interface WorkerConfig {
  readonly redisUrl: string;
  readonly name: string;
  readonly lockDurationMs: number;
  readonly stalledIntervalMs: number;
  readonly logLevel: string;
  readonly cacheRoot: string;
}

/** @throws z.ZodError naming each variable at fault. */
export function readConfig(env: NodeJS.ProcessEnv): WorkerConfig {
  const parsed = envSchema.parse(env);
  return {
    redisUrl: parsed.REDIS_URL,
    name: parsed.NESGD_WORKER_NAME,
    lockDurationMs: parsed.NESGD_LOCK_DURATION_MS,
    stalledIntervalMs: parsed.NESGD_STALLED_INTERVAL_MS,
    logLevel: parsed.NESGD_LOG_LEVEL,
    cacheRoot: defaultCacheRoot(env),
  };
}
