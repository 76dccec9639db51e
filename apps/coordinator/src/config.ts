import { defaultCacheRoot } from '@nesgd/core/storage';

/** The coordinator's settings from outside the command line: the one place that reads its environment. */
export interface CoordinatorConfig {
  readonly cacheRoot: string;
  /** `REDIS_URL`: the broker that `--broker auto` uses first. */
  readonly redisUrl: string | undefined;
  readonly env: NodeJS.ProcessEnv;
}

export function readConfig(env: NodeJS.ProcessEnv): CoordinatorConfig {
  return { cacheRoot: defaultCacheRoot(env), redisUrl: env.REDIS_URL || undefined, env };
}
