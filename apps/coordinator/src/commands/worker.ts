import { hostname } from 'node:os';
import { InputError } from '@nesgd/core/errors';
import { cardPlaces, healthFiles, placeEnvironment, removeOtherHealthFiles } from '@nesgd/core/machine';
import type { DeviceChoice } from '@nesgd/core/protocol';
import { findCards } from '@nesgd/core/runtime';
import { cacheFolder, checkCacheFolder } from '@nesgd/core/storage';
import { checkBrokerUrl, withoutPassword } from '../broker.js';
import type { CoordinatorConfig } from '../config.js';
import { withTypedCommands } from '../invocation.js';
import { runWorkers } from '../worker-group.js';

export interface WorkerOptions {
  readonly broker?: string;
  readonly coordinator?: string;
  readonly name?: string;
  readonly jobs?: number;
  /** Seconds. */
  readonly idle?: number;
  readonly stayDrained?: true;
  readonly device?: DeviceChoice;
  readonly workersPerDevice?: number;
}

/** `nesgd worker`: workers for the broker given, one a card where there are cards, until they are told to stop. @returns the exit code. */
export async function worker(options: WorkerOptions, config: CoordinatorConfig): Promise<number> {
  const redisUrl = brokerUrl(options.broker, config);
  await checkCacheFolder(cacheFolder(config.cacheRoot));
  const common = {
    REDIS_URL: redisUrl,
    NESGD_CACHE: config.cacheRoot,
    ...(options.coordinator && { NESGD_COORDINATOR: coordinatorUrl(options.coordinator, config) }),
    ...(options.jobs && { NESGD_WORKER_JOBS: String(options.jobs) }),
    ...(options.stayDrained && { NESGD_STAY_DRAINED: '1' }),
    ...(options.idle && { NESGD_WORKER_IDLE_S: String(options.idle) }),
  };
  const name = options.name ?? config.env.NESGD_WORKER_NAME;
  const places = await placesFor(options, config);
  const { NESGD_HEALTH_FILE: healthFile } = config.env;
  if (healthFile) await clearHealthFiles(healthFile, places.length);
  if (places.length < 2) return runWorkers([{ ...common, ...(name && { NESGD_WORKER_NAME: name }), ...places[0] }]);
  const prefix = name || `${hostname()}-${process.pid}`;
  const files = healthFile ? healthFiles(healthFile, places.length) : [];
  return runWorkers(
    places.map((place, i) => ({
      ...common,
      ...place,
      NESGD_WORKER_NAME: `${prefix}-${i + 1}`,
      ...(files[i] && { NESGD_HEALTH_FILE: files[i] }),
    })),
  );
}

/** Without them workers work as well: it is the check that will find fault. */
async function clearHealthFiles(path: string, workers: number): Promise<void> {
  await removeOtherHealthFiles(path, workers).catch((error: Error) => {
    process.stderr.write(`nesgd: NESGD_HEALTH_FILE: what an earlier start left cannot be removed: ${error.message}
`);
  });
}

/** No card is called so: a job for one goes back for others. */
const NO_CARDS = { CUDA_VISIBLE_DEVICES: '-1' };

/**
 * The environment of each worker: its card, or that it has none.
 * @throws InputError for `--device gpu` without a card that can be used.
 */
async function placesFor(
  { device = 'auto', workersPerDevice = 1 }: WorkerOptions,
  { cacheRoot, env }: CoordinatorConfig,
): Promise<Record<string, string>[]> {
  if (device === 'cpu') return [NO_CARDS];
  const found = await findCards(cacheRoot, env);
  if (found.usable) return cardPlaces(found.cards, found.cards.length * workersPerDevice).map(placeEnvironment);
  if (device === 'gpu') {
    throw new InputError('DEVICE', `--device gpu: there is no card to compute on: ${found.reason}`);
  }
  process.stderr.write(`nesgd: ${withTypedCommands(`device cpu: ${found.reason}`)}\n`);
  return [NO_CARDS];
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
