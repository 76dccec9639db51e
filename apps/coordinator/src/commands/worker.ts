import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { InputError } from '@nesgd/core/errors';
import { cacheFolder, checkCacheFolder } from '@nesgd/core/storage';
import { checkBrokerUrl, withoutPassword } from '../broker.js';
import type { CoordinatorConfig } from '../config.js';

export interface WorkerOptions {
  readonly broker?: string;
  readonly coordinator?: string;
  readonly name?: string;
  readonly jobs?: number;
  /** Seconds. */
  readonly idle?: number;
  readonly stayDrained?: true;
}

/** `nesgd worker`: one worker process for the broker given, until it is told to stop. @returns its exit code. */
export async function worker(options: WorkerOptions, config: CoordinatorConfig): Promise<number> {
  const redisUrl = brokerUrl(options.broker, config);
  await checkCacheFolder(cacheFolder(config.cacheRoot));
  const child = spawn(process.execPath, [fileURLToPath(new URL('../../../worker/dist/main.js', import.meta.url))], {
    // Over the channel it notices when this process is killed, and ends as well.
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: {
      ...process.env,
      REDIS_URL: redisUrl,
      NESGD_CACHE: config.cacheRoot,
      ...(options.coordinator && { NESGD_COORDINATOR: coordinatorUrl(options.coordinator, config) }),
      ...(options.name && { NESGD_WORKER_NAME: options.name }),
      ...(options.jobs && { NESGD_WORKER_JOBS: String(options.jobs) }),
      ...(options.stayDrained && { NESGD_STAY_DRAINED: '1' }),
      ...(options.idle && { NESGD_WORKER_IDLE_S: String(options.idle) }),
    },
  });
  // Both signals end the child in its own time, and we wait for that. Ctrl-C it gets from the terminal as well, and
  // leaves it to us, as every worker with a parent does.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => child.kill('SIGTERM'));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => resolve(code ?? 1));
  });
}

/** The flag only: the worker itself checks what stands in its environment. */
function coordinatorUrl(flag: string, config: CoordinatorConfig): string {
  if (!URL.canParse(flag) || !/^https?:\/\/[^@?#]+$/.test(flag)) {
    throw new InputError(
      'COORDINATOR_FLAG',
      `--coordinator ${withoutPassword(flag)}: wants http://host:port or https://host:port`,
    );
  }
  if (config.secret === undefined) {
    throw new InputError('SECRET_MISSING', '--coordinator: set NESGD_SECRET to the secret of that coordinator as well');
  }
  return flag;
}

function brokerUrl(flag: string | undefined, config: CoordinatorConfig): string {
  if (flag !== undefined) return checkBrokerUrl('--broker', flag);
  if (config.redisUrl !== undefined) return checkBrokerUrl('REDIS_URL', config.redisUrl);
  throw new InputError(
    'BROKER_FLAG',
    'a worker needs the address of its broker: set REDIS_URL, or give --broker redis://host:port',
  );
}
