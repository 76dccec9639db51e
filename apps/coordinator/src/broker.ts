import { InputError, NesgdError } from '@nesgd/core/errors';
import { findBrokerBinary, startBroker } from '@nesgd/core/runtime';
import { Redis } from 'ioredis';
import type { CoordinatorConfig } from './config.js';
import type { Watch } from './run-events.js';

/** `queue`: a broker is there. `local`: there is none, or none is wanted, and the trainers are children of this process. */
export type Broker =
  | { readonly kind: 'queue'; readonly url: string; readonly connection: Redis; close(): Promise<void> }
  | { readonly kind: 'local'; close(): Promise<void> };

const CONNECT_TIMEOUT_MS = 5_000;

/**
 * `auto`: REDIS_URL if set; else a redis-server or valkey-server found here, started for this run on a loopback port;
 * else local. `local`: no broker. `redis://...`: that one.
 * @throws NesgdError where a broker that was named does not answer; InputError for another text.
 */
export async function openBroker(flag: string, config: CoordinatorConfig, watch: Watch): Promise<Broker> {
  const local: Broker = { kind: 'local', close: async () => {} };
  if (flag === 'local') return local;
  if (/^rediss?:\/\//.test(flag)) return connect(flag);
  if (flag !== 'auto') {
    throw new InputError(
      'BROKER_FLAG',
      `--broker ${flag}: wants auto, local, or redis://host:port (rediss:// for TLS)`,
    );
  }
  if (config.redisUrl) return connect(config.redisUrl);

  const binary = await findBrokerBinary(config.cacheRoot, config.env);
  if (!binary) {
    watch({
      type: 'notice',
      text: 'no broker: REDIS_URL is not set and no redis-server or valkey-server was found; running with the local evaluator (the same results, but workers on other machines cannot join)',
    });
    return local;
  }
  watch({ type: 'preparing', what: `starting a broker (${binary})` });
  const server = await startBroker(binary);
  const connected = await connect(server.url).catch(async (error) => {
    await server.stop();
    throw error;
  });
  return {
    ...connected,
    async close() {
      await connected.close();
      await server.stop();
    },
  };
}

async function connect(url: string): Promise<Extract<Broker, { kind: 'queue' }>> {
  let everReady = false;
  const connection = new Redis(url, {
    lazyConnect: true,
    connectTimeout: CONNECT_TIMEOUT_MS,
    maxRetriesPerRequest: null,
    // At the start a broker that does not answer is a mistake to report; later it is an outage to wait out.
    retryStrategy: (times) => (everReady ? Math.min(times * 200, 5_000) : null),
  });
  let lastError: Error | undefined;
  connection.on('error', (error) => {
    lastError = error;
  });
  try {
    await connection.connect();
    await connection.ping();
    everReady = true;
  } catch (error) {
    connection.disconnect();
    const reason = lastError?.message || (error instanceof Error ? error.message : String(error));
    throw new NesgdError(
      'BROKER_UNREACHABLE',
      `the broker ${withoutPassword(url)} does not answer (${reason}): start it, correct the address, or run without one by --broker local`,
      true,
      { cause: error },
    );
  }
  return { kind: 'queue', url, connection, close: async () => connection.disconnect() };
}

/** For messages and journals. */
export function withoutPassword(url: string): string {
  try {
    const parsed = new URL(url);
    parsed.username = '';
    parsed.password = '';
    return parsed.toString();
  } catch {
    return url.replace(/\/\/[^@/]*@/, '//');
  }
}
