import { defaultCacheRoot } from '@nesgd/core/storage';

/** The coordinator's settings from outside the command line: the one place that reads its environment. */
export interface CoordinatorConfig {
  readonly cacheRoot: string;
  /** `REDIS_URL`: the broker that `--broker auto` uses first. */
  readonly redisUrl: string | undefined;
  /** `NESGD_LISTEN`: where workers elsewhere fetch data sets and weights. */
  readonly listen: string | undefined;
  /** `NESGD_LISTEN_IF_FREE`: a run that a server starts goes on without `listen` where another run has the address. */
  readonly listenIfFree: boolean;
  /** `NESGD_SECRET`: what opens it. Never a flag, which every user of the machine could read. */
  readonly secret: string | undefined;
  readonly env: NodeJS.ProcessEnv;
}

export function readConfig(env: NodeJS.ProcessEnv): CoordinatorConfig {
  return {
    cacheRoot: defaultCacheRoot(env),
    redisUrl: env.REDIS_URL || undefined,
    listen: env.NESGD_LISTEN || undefined,
    listenIfFree: env.NESGD_LISTEN_IF_FREE === '1',
    secret: env.NESGD_SECRET || undefined,
    env,
  };
}
