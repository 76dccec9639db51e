import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Artifact } from '@nesgd/core/transfer';
import type { Patience } from './fetch-artifact.js';

/** Tries again at once, and not for long. */
export const HASTY: Patience = { patienceMs: 2_000, firstDelayMs: 1, longestDelayMs: 5, pollMs: 5 };

export function blobOf(content: Uint8Array): Artifact {
  return { kind: 'blobs', sha256: createHash('sha256').update(content).digest('hex') };
}

export interface FakeCoordinator {
  readonly url: string;
  /** Method, path and Range of each request, in order of arrival. */
  readonly requests: string[];
  close(): Promise<void>;
}

/** A coordinator that does whatever a test wants of it. `count`: requests so far, this one included. */
export async function fakeCoordinator(
  answer: (request: IncomingMessage, response: ServerResponse, count: number) => void,
): Promise<FakeCoordinator> {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    const count = requests.push([request.method, request.url, request.headers.range].filter(Boolean).join(' '));
    answer(request, response, count);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Serves `content` from where it is asked for, as far as `until`; then the connection breaks. */
export function serve(
  content: Buffer,
  request: IncomingMessage,
  response: ServerResponse,
  until = content.length,
): void {
  const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
  response.setHeader('Content-Length', content.length - from);
  if (from === 0) response.writeHead(200);
  else response.writeHead(206, { 'Content-Range': `bytes ${from}-${content.length - 1}/${content.length}` });
  if (until === content.length) response.end(content.subarray(from));
  else response.write(content.subarray(from, until), () => response.socket?.destroySoon());
}
