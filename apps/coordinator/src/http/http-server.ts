import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { InputError } from '@nesgd/core/errors';
import { bearerCheck } from './bearer.js';
import type { ListenSettings } from './listen-address.js';

/** Answers a request that carried the secret, or says that it is none of its. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<'answered' | 'not mine'>;

export interface HttpServer {
  /** `http://host:port` of the socket as it is. */
  readonly url: string;
  close(): Promise<void>;
}

/** A stranger holds a connection for this long, and not more of them than that. */
const HEADERS_TIMEOUT_MS = 10_000;
const MOST_CONNECTIONS = 1_000;
const LONGEST_HEADERS_BYTES = 8 * 1024;
/** A peer that knows the secret may be slow, but not silent. */
const IDLE_TIMEOUT_MS = 30_000;
const REQUEST_TIMEOUT_MS = 3_600_000;
/** What is under way at the end may end by itself for this long. */
const CLOSE_GRACE_MS = 2_000;

/**
 * The one place where a run listens. Without the secret every request gets the same answer, before its path is looked
 * at; what goes wrong inside is told to `onError`, not to the peer.
 * @throws InputError where the address cannot be listened on.
 */
export async function startHttpServer(
  { host, port, secret }: ListenSettings,
  handler: Handler,
  onError: (error: unknown) => void,
): Promise<HttpServer> {
  const isAllowed = bearerCheck(secret);
  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: 2_000,
      maxHeaderSize: LONGEST_HEADERS_BYTES,
    },
    (request, response) => {
      void answer(request, response);
    },
  );
  server.maxConnections = MOST_CONNECTIONS;
  server.setTimeout(IDLE_TIMEOUT_MS);

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader('X-Content-Type-Options', 'nosniff');
    response.setHeader('Cache-Control', 'no-store');
    try {
      if (!isAllowed(request.headers.authorization)) {
        response.setHeader('WWW-Authenticate', 'Bearer');
        return refuse(response, 401, 'this service wants the secret of its run');
      }
      if ((await handler(request, response)) === 'not mine') refuse(response, 404, 'there is nothing here');
    } catch (error) {
      onError(error);
      if (response.headersSent) response.destroy();
      else refuse(response, 500, 'the coordinator failed; its own output says how');
    }
  }

  await listenOn(server, host, port);
  const { address, port: bound, family } = server.address() as AddressInfo;
  return {
    url: `http://${family === 'IPv6' ? `[${address}]` : address}:${bound}`,
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeIdleConnections();
      const cut = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
      await closed;
      clearTimeout(cut);
    },
  };
}

/** Answers in one line of text and ends the connection: a body that nobody read may still be coming. */
export function refuse(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8', Connection: 'close' });
  response.end(response.req.method === 'HEAD' ? undefined : `${text}\n`);
}

/** @throws InputError where the address cannot be listened on. */
export function listenOn(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      const hint = cause.code === 'EADDRINUSE' ? ': another program has it, choose another port' : '';
      reject(
        new InputError('LISTEN_ADDRESS', `cannot listen on ${host}:${port}${hint} (${cause.message})`, false, {
          cause,
        }),
      );
    });
    server.listen(port, host, resolve);
  });
}
