import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { InputError } from '@nesgd/core/errors';
import { checkBrokerUrl } from '../broker.js';
import type { CoordinatorConfig } from '../config.js';

/** `nesgd worker`: one worker process for the broker given, until it is told to stop. @returns its exit code. */
export async function worker(options: { broker?: string; name?: string }, config: CoordinatorConfig): Promise<number> {
  const redisUrl = brokerUrl(options.broker, config);
  const child = spawn(process.execPath, [fileURLToPath(new URL('../../../worker/dist/main.js', import.meta.url))], {
    stdio: 'inherit',
    env: {
      ...process.env,
      REDIS_URL: redisUrl,
      NESGD_CACHE: config.cacheRoot,
      ...(options.name && { NESGD_WORKER_NAME: options.name }),
    },
  });
  // Both signals end the child in its own time, and we wait for that. Ctrl-C it gets from the terminal as well.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill(signal));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

function brokerUrl(flag: string | undefined, config: CoordinatorConfig): string {
  if (flag !== undefined) return checkBrokerUrl('--broker', flag);
  if (config.redisUrl !== undefined) return checkBrokerUrl('REDIS_URL', config.redisUrl);
  throw new InputError(
    'BROKER_FLAG',
    'a worker needs the address of its broker: set REDIS_URL, or give --broker redis://host:port',
  );
}
