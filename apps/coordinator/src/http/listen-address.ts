import { InputError } from '@nesgd/core/errors';

export interface ListenSettings {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly secret: string;
}

export const SHORTEST_SECRET = 16;

/**
 * Where the run's HTTP service listens and what opens it; undefined where none is wanted.
 * @param flag `host:port`, `[ipv6]:port`.
 * @throws InputError for another text, and for a secret that is missing or could be guessed: every call wants one, on
 * loopback as well, where other users of the machine and web pages in its browsers knock.
 */
export function listenSettings(
  source: '--listen' | 'NESGD_LISTEN',
  flag: string | undefined,
  secret: string | undefined,
): ListenSettings | undefined {
  if (flag === undefined) return undefined;
  const [, ipv6, name, digits] = /^(?:\[([0-9a-f:.]+)\]|([^\s:/[\]]+)):(\d{1,5})$/i.exec(flag) ?? [];
  const host = ipv6 ?? name;
  const port = Number(digits);
  if (host === undefined || port > 65_535) {
    throw new InputError(
      'LISTEN_ADDRESS',
      `${source} ${flag}: wants host:port, such as 0.0.0.0:7300, [::]:7300 or 127.0.0.1:0 (0: any free port)`,
    );
  }
  if (!secret) {
    throw new InputError(
      'SECRET_MISSING',
      `${source} ${flag}: nothing listens without a secret: set NESGD_SECRET, here and for the workers (openssl rand -hex 32 makes one)`,
    );
  }
  const fault = secretFault(secret);
  if (fault) throw fault;
  return { host, port, secret };
}

/** What is wrong with a secret: too short, or not fit for a header. */
export function secretFault(secret: string): InputError | undefined {
  if (secret.length >= SHORTEST_SECRET && /^[\x21-\x7e]+$/.test(secret)) return undefined;
  return new InputError(
    'SECRET_WEAK',
    `NESGD_SECRET: wants ${SHORTEST_SECRET} or more printable ASCII characters without spaces (openssl rand -hex 32 makes one)`,
  );
}

/** Whether nothing but this machine reaches an address of that host. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
}
