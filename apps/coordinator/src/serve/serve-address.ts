import { InputError } from '@nesgd/core/errors';
import { isLoopback, SHORTEST_SECRET, secretFault } from '../http/listen-address.js';

export const DEFAULT_SERVE_PORT = 7380;

export interface ServeAddress {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** Undefined: who is on this machine may look. */
  readonly secret: string | undefined;
}

/**
 * @throws InputError for an address beyond loopback without a secret, and for a secret that could be guessed.
 */
export function serveAddress(host: string, port: number, secret: string | undefined): ServeAddress {
  if (secret !== undefined) {
    const fault = secretFault(secret);
    if (fault) throw fault;
  } else if (!isLoopback(host)) {
    throw new InputError(
      'SECRET_MISSING',
      `--host ${host}: beyond this machine the dashboard wants a login: set NESGD_SECRET to ${SHORTEST_SECRET} or more characters (openssl rand -hex 32 makes one)`,
    );
  }
  return { host, port, secret };
}
