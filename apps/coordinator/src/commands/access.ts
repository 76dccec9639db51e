import { InputError } from '@nesgd/core/errors';
import { cacheFolder } from '@nesgd/core/storage';
import { type Broker, openBroker } from '../broker.js';
import type { CoordinatorConfig } from '../config.js';
import { type ArtifactService, startArtifactService } from '../http/artifact-service.js';
import { isLoopback, type ListenSettings, listenSettings } from '../http/listen-address.js';
import type { Watch } from '../run-events.js';
import type { RunOptions } from './run.js';

export interface Surroundings {
  readonly config: CoordinatorConfig;
  readonly watch: Watch;
  readonly signal: AbortSignal;
  /** Aborts `signal`, as Ctrl-C does. */
  readonly stop: () => void;
}

/** How workers reach a run: the queue, and for those elsewhere what jobs name. */
export interface Access {
  readonly broker: Broker;
  readonly artifacts: ArtifactService | undefined;
}

export function listenFrom({ listen }: Pick<RunOptions, 'listen'>, { listen: fromEnv, secret }: CoordinatorConfig) {
  return listen === undefined
    ? listenSettings('NESGD_LISTEN', fromEnv, secret)
    : listenSettings('--listen', listen, secret);
}

export async function withBroker<T>(
  options: Pick<RunOptions, 'broker' | 'workers'> & { listen: ListenSettings | undefined },
  around: Surroundings,
  use: (access: Access) => Promise<T>,
): Promise<T> {
  const broker = await openBroker(options.broker, around);
  let artifacts: ArtifactService | undefined;
  try {
    if (options.workers === 0) refuseIfNobodyCanJoin(broker);
    if (options.listen) artifacts = await listenForWorkers(options.listen, broker, around);
    return await use({ broker, artifacts });
  } finally {
    await artifacts?.close();
    await broker.close();
  }
}

function refuseIfNobodyCanJoin(broker: Broker): void {
  const why =
    broker.kind === 'local'
      ? 'without a broker nobody else can do the work'
      : broker.own && 'nobody else can join the broker that is started for this run alone';
  if (!why) return;
  throw new InputError(
    'WORKERS_FLAG',
    `--workers 0: ${why}: give 1 or more, or by --broker or REDIS_URL a broker that others join`,
  );
}

/** What to type elsewhere to do the work of a run that has no workers of its own. */
export function joinAdvice({ broker, artifacts }: Access): string {
  if (broker.kind === 'local') return '';
  const { protocol, username, password, host } = new URL(broker.url);
  const address = `${protocol}//${password ? `${username}:PASSWORD@` : ''}${host}`;
  if (artifacts) {
    return `Start one where the broker is reached, with NESGD_SECRET as here: "nesgd worker --broker ${address} --coordinator ${artifacts.url}"`;
  }
  return `Start one on this machine: "nesgd worker --broker ${address}"; for those of other machines, resume the run with --listen`;
}

async function listenForWorkers(
  listen: ListenSettings,
  broker: Broker,
  { config, watch }: Surroundings,
): Promise<ArtifactService | undefined> {
  if (broker.kind === 'local') {
    throw new InputError(
      'LISTEN_ADDRESS',
      `listening on ${listen.host}:${listen.port} is of no use without a broker, which workers elsewhere need as well: give --broker redis://host:port, or do not listen`,
    );
  }
  const service = await startArtifactService(listen, { cache: cacheFolder(config.cacheRoot), watch }).catch((error) => {
    if (!config.listenIfFree || error.cause?.code !== 'EADDRINUSE') throw error;
    watch({
      type: 'notice',
      text: `does not listen on ${listen.host}:${listen.port}, which another program has, perhaps a run: workers on other machines cannot do this run's jobs, only those that share its cache folder`,
    });
    return undefined;
  });
  if (!service) return undefined;
  watch({ type: 'notice', text: `listening on ${service.url} for workers on other machines` });
  if (isLoopback(new URL(broker.url).hostname) && !isLoopback(listen.host)) {
    watch({
      type: 'notice',
      text: 'the broker is on loopback, where workers on other machines do not reach it: give --broker or REDIS_URL an address that they can use',
    });
  }
  return service;
}
