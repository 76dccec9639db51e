import { hostname } from 'node:os';
import { InputError } from '@nesgd/core/errors';
import { defaultCacheRoot } from '@nesgd/core/storage';
import { hangTimeoutMs, snapshotEpochs } from '@nesgd/core/trainer';
import { z } from 'zod';
import type { CoordinatorAddress } from './artifacts/coordinator-client.js';

/** A variable that is set to nothing is not set. */
const optional = <T extends z.ZodType>(schema: T) => z.preprocess((value) => value || undefined, schema.optional());

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
const JOBS = 'wants a whole number of jobs, 1 or more';
const BROKER = 'wants redis://host:port or rediss://host:port';

const positive = (unit: string) =>
  z.coerce.number(`wants a number of ${unit} above 0`).positive(`wants a number of ${unit} above 0`);

function milliseconds(least: number, most = Number.MAX_SAFE_INTEGER) {
  const range = most === Number.MAX_SAFE_INTEGER ? `${least} or more` : `${least} to ${most}`;
  const wanted = `wants a whole number of milliseconds, ${range}`;
  return z.coerce.number(wanted).int(wanted).min(least, wanted).max(most, wanted);
}

/** The worker's settings: the one place that reads its environment. Durations in milliseconds. */
const envSchema = z
  .object({
    REDIS_URL: z.url({ protocol: /^rediss?$/, error: BROKER }),
    NESGD_WORKER_NAME: z.string().min(1).default(`${hostname()}-${process.pid}`),
    /** A worker that has not renewed its lock for this long is taken for dead and its job given to another. */
    NESGD_LOCK_DURATION_MS: milliseconds(500).default(15_000),
    /** How often workers look for jobs whose worker is dead. */
    NESGD_STALLED_INTERVAL_MS: milliseconds(100).default(5_000),
    /** How long a trainer may show no progress, not one training step, before it is killed. */
    NESGD_HANG_TIMEOUT_S: optional(positive('seconds')),
    /** Snapshots of trainings after every so many epochs. */
    NESGD_SNAPSHOT_EPOCHS: optional(z.string().regex(/^\d{1,6}$/, 'wants a whole number of epochs, 0 for none')),
    /** How often a worker says on the broker what it does, and looks whether it is told something. */
    NESGD_PULSE_MS: milliseconds(50, 60_000).default(2_000),
    NESGD_LOG_LEVEL: z.enum(LOG_LEVELS, `wants one of ${LOG_LEVELS.join(', ')}`).default('info'),
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
    NESGD_CACHE_LIMIT_GB: optional(positive('gigabytes')),
    /** How long a worker that could not do a job leaves the queue to others; doubled each time in a row, 16-fold at most. */
    NESGD_REFUSAL_PAUSE_MS: milliseconds(1).default(5_000),
    /** So many jobs, then it ends: "one job, then exit" is 1. */
    NESGD_WORKER_JOBS: optional(z.coerce.number(JOBS).int(JOBS).min(1, JOBS)),
    /** Drained, it waits to be ended instead of ending: for what would start it again. */
    NESGD_STAY_DRAINED: optional(z.literal('1', 'wants 1, or nothing')),
    /** How long it waits for a job before it ends. */
    NESGD_WORKER_IDLE_S: optional(positive('seconds')),
    /** Where it says every few seconds how it is, for health checks (health/check.ts). */
    NESGD_HEALTH_FILE: optional(z.string()),
    /** The runs that this worker was started for, with commas between; they must hear of what this machine lacks instead of waiting for another one. */
    NESGD_OWN_RUN: optional(z.string()),
  })
  .refine((env) => env.NESGD_COORDINATOR === undefined || env.NESGD_SECRET !== undefined, {
    path: ['NESGD_SECRET'],
    error: 'must be the secret of the coordinator that NESGD_COORDINATOR names',
  });

export interface WorkerConfig {
  readonly redisUrl: string;
  readonly name: string;
  readonly lockDurationMs: number;
  readonly stalledIntervalMs: number;
  readonly hangTimeoutMs: number;
  readonly snapshotEpochs: number | undefined;
  readonly pulseMs: number;
  readonly logLevel: string;
  readonly cacheRoot: string;
  readonly coordinator: CoordinatorAddress | undefined;
  readonly cacheLimitBytes: number | undefined;
  readonly refusalPauseMs: number;
  readonly ownRunIds: readonly string[];
  readonly jobs: number | undefined;
  readonly idleMs: number | undefined;
  readonly staysDrained: boolean;
  readonly healthFile: string | undefined;
}

/** @throws InputError naming each variable at fault. */
export function readConfig(env: NodeJS.ProcessEnv): WorkerConfig {
  const { data: parsed, error } = envSchema.safeParse(env);
  if (!parsed) throw new InputError('WORKER_SETTINGS', `the worker's settings are not valid:${faults(error, env)}`);
  return {
    redisUrl: parsed.REDIS_URL,
    name: parsed.NESGD_WORKER_NAME,
    lockDurationMs: parsed.NESGD_LOCK_DURATION_MS,
    stalledIntervalMs: parsed.NESGD_STALLED_INTERVAL_MS,
    hangTimeoutMs: hangTimeoutMs({ NESGD_HANG_TIMEOUT_S: parsed.NESGD_HANG_TIMEOUT_S?.toString() }),
    snapshotEpochs: snapshotEpochs({ NESGD_SNAPSHOT_EPOCHS: parsed.NESGD_SNAPSHOT_EPOCHS }),
    pulseMs: parsed.NESGD_PULSE_MS,
    logLevel: parsed.NESGD_LOG_LEVEL,
    cacheRoot: defaultCacheRoot(env),
    coordinator:
      parsed.NESGD_COORDINATOR !== undefined && parsed.NESGD_SECRET !== undefined
        ? { url: parsed.NESGD_COORDINATOR, secret: parsed.NESGD_SECRET }
        : undefined,
    cacheLimitBytes: parsed.NESGD_CACHE_LIMIT_GB === undefined ? undefined : parsed.NESGD_CACHE_LIMIT_GB * 1e9,
    refusalPauseMs: parsed.NESGD_REFUSAL_PAUSE_MS,
    ownRunIds: parsed.NESGD_OWN_RUN?.split(',') ?? [],
    jobs: parsed.NESGD_WORKER_JOBS,
    idleMs: parsed.NESGD_WORKER_IDLE_S === undefined ? undefined : parsed.NESGD_WORKER_IDLE_S * 1000,
    staysDrained: parsed.NESGD_STAY_DRAINED !== undefined,
    healthFile: parsed.NESGD_HEALTH_FILE,
  };
}

function faults({ issues }: z.ZodError, env: NodeJS.ProcessEnv): string {
  return issues
    .map(({ path, message }) => {
      const name = path.join('.');
      // Of these the text may hold a password.
      const got =
        env[name] === undefined || /URL|COORDINATOR|SECRET/.test(name) ? '' : ` is ${JSON.stringify(env[name])}`;
      return `\n  ${name}${got}: ${message}`;
    })
    .join('');
}
