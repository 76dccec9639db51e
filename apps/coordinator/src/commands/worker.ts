import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { InputError } from '@nesgd/core/errors';
import type { CoordinatorConfig } from '../config.js';

/** `nesgd worker`: one worker process for the broker given, until it is told to stop. @returns its exit code. */
export async function worker(options: { broker?: string; name?: string }, config: CoordinatorConfig): Promise<number> {
  const redisUrl = options.broker ?? config.redisUrl;
  if (!redisUrl) {
    throw new InputError(
      'BROKER_FLAG',
      'a worker needs the address of its broker: set REDIS_URL, or give --broker redis://host:port',
    );
  }
  const child = spawn(process.execPath, [fileURLToPath(new URL('../../../worker/dist/main.js', import.meta.url))], {
    stdio: 'inherit',
    env: {
      ...process.env,
      REDIS_URL: redisUrl,
      NESGD_CACHE: config.cacheRoot,
      ...(options.name && { NESGD_WORKER_NAME: options.name }),
    },
  });
  // Ctrl-C reaches the child by itself; both signals end it in its own time, and we wait for that.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
