import { InputError, NesgdError } from '@nesgd/core/errors';
import { findBrokerBinary, startBroker } from '@nesgd/core/runtime';
import { Redis } from 'ioredis';
import type { CoordinatorConfig } from './config.js';
import type { Watch } from './run-events.js';

/** `queue`: a broker is there. `local`: there is none, or none is wanted, and the trainers are children of this process. */
export type Broker =
  | {
      readonly kind: 'queue';
      readonly url: string;
      readonly connection: Redis;
      /** Started for this run: nobody else knows its port and password. */
      readonly own: boolean;
      close(): Promise<void>;
    }
  | { readonly kind: 'local'; close(): Promise<void> };

const CONNECT_TIMEOUT_MS = 5_000;
/**
 * Told to stop, a command takes its jobs off the queue, and waits so long for the broker to take part. What it asked then
 * fails, whatever it waits for; nothing is lost that a run is resumed from.
 */
const LEAVE_TIMEOUT_MS = 10_000;

/**
 * `auto`: REDIS_URL if set; else a redis-server or valkey-server found here, started for this run on a loopback port;
 * else local. `local`: no broker. `redis://...`: that one.
 * @throws NesgdError where a broker that was named does not answer; InputError for another text; the signal's reason.
 */
export async function openBroker(
  flag: string,
  { config, watch, signal }: { config: CoordinatorConfig; watch: Watch; signal: AbortSignal },
): Promise<Broker> {
  const local: Broker = { kind: 'local', close: async () => {} };
  if (flag === 'local') return local;
  if (flag !== 'auto') return connect(checkBrokerUrl('--broker', flag, 'auto, local, or '), signal);
  if (config.redisUrl) return connect(checkBrokerUrl('REDIS_URL', config.redisUrl), signal);

  const binary = findBrokerBinary(config.cacheRoot, config.env);
  if (!binary) {
    watch({
      type: 'notice',
      text: 'no broker: REDIS_URL is not set and no redis-server or valkey-server was found; running with the local evaluator (the same results, but workers on other machines cannot join)',
    });
    return local;
  }
  watch({ type: 'preparing', what: `starting a broker (${binary})` });
  const server = await startBroker(binary);
  const connected = await connect(server.url, signal).catch(async (error) => {
    await server.stop();
    throw error;
  });
  return {
    ...connected,
    own: true,
    async close() {
      await connected.close();
      await server.stop();
    },
  };
}

/**
 * @param source how the message names where the address came from: a flag, a variable.
 * @param instead what else would be right there.
 * @throws InputError for what is no address of a broker, its password left out.
 */
export function checkBrokerUrl(source: string, text: string, instead = ''): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url && /^rediss?:$/.test(url.protocol) && url.hostname !== '') return text;
  throw new InputError(
    'BROKER_URL',
    `${source} ${withoutPassword(text)}: wants ${instead}redis://host:port (rediss:// for TLS; special characters in a password as %XX)`,
  );
}

async function connect(url: string, signal: AbortSignal): Promise<Extract<Broker, { kind: 'queue' }>> {
  let everReady = false;
  const connection = new Redis(url, {
    lazyConnect: true,
    // After a refusal ioredis waits this long for a connection that is closed already, and the process with it.
    disconnectTimeout: 200,
    maxRetriesPerRequest: null,
    // At the start a broker that does not answer is a mistake to report; later it is an outage to wait out.
    retryStrategy: (times) => (everReady ? Math.min(times * 200, 5_000) : null),
  });
  let lastError: Error | undefined;
  connection.on('error', (error) => {
    lastError = error;
  });
  // ioredis's own time limit ends with the TCP handshake: something else may listen there and never say a word.
  const giveUp = AbortSignal.any([signal, AbortSignal.timeout(CONNECT_TIMEOUT_MS)]);
  const disconnect = () => connection.disconnect();
  giveUp.addEventListener('abort', disconnect, { once: true });
  try {
    await connection.connect();
    await connection.ping();
    everReady = true;
  } catch (error) {
    connection.disconnect();
    signal.throwIfAborted();
    const silence = `it said nothing for ${CONNECT_TIMEOUT_MS / 1000} s`;
    throw unreachable(url, giveUp.aborted ? silence : reasonOf(lastError ?? error), error);
  } finally {
    giveUp.removeEventListener('abort', disconnect);
  }
  let leaving: NodeJS.Timeout | undefined;
  const leave = () => {
    leaving = setTimeout(disconnect, LEAVE_TIMEOUT_MS);
  };
  signal.addEventListener('abort', leave, { once: true });
  const close = async () => {
    signal.removeEventListener('abort', leave);
    clearTimeout(leaving);
    disconnect();
  };
  return { kind: 'queue', url, connection, own: false, close };
}

function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  if (text.startsWith('NOAUTH')) return 'it wants a password, as in redis://:password@host:port';
  if (text.startsWith('WRONGPASS')) return 'it refuses the user or password given';
  return text;
}

function unreachable(url: string, reason: string, cause: unknown): NesgdError {
  return new NesgdError(
    'BROKER_UNREACHABLE',
    `the broker ${withoutPassword(url)} cannot be used (${reason}): start it, correct the address, or run without one by --broker local`,
    true,
    { cause },
  );
}

/** For messages and displays: an address without its user and password, also one that is mistyped. */
export function withoutPassword(url: string): string {
  return url.replace(/^([a-z]+:\/\/+)?.*@/is, '$1');
}
