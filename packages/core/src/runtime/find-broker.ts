import { join } from 'node:path';
import { isComplete } from './complete.js';
import { findExecutable } from './find-executable.js';
import { runtimeLayout } from './layout.js';

/** A `redis-server` or `valkey-server` on the PATH, else the provisioned Valkey; undefined where there is none. */
export function findBrokerBinary(cacheRoot: string, env: NodeJS.ProcessEnv): string | undefined {
  const onPath = findExecutable('redis-server', env) ?? findExecutable('valkey-server', env);
  if (onPath) return onPath;
  const { valkey } = runtimeLayout(cacheRoot);
  return isComplete(valkey) ? join(valkey, 'valkey-server') : undefined;
}
