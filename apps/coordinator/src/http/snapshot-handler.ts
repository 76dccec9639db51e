import type { IncomingMessage, ServerResponse } from 'node:http';
import { type CacheFolder, SnapshotStore } from '@nesgd/core/storage';
import { snapshotOfRoute, stateOfRoute } from '@nesgd/core/transfer';
import { type Handler, refuse } from './http-server.js';
import { receiveBlob } from './receive-blob.js';

export interface SnapshotShelf {
  readonly cache: CacheFolder;
  /** Whether a job of this key is under way, or was until just now. */
  isUnderWay(key: string): boolean;
  /** Whether a job names the blob, or it is weights that a worker stored: no state may stand for it. */
  isWeights(sha256: string): boolean;
  /** A worker elsewhere begins the job. */
  asked(key: string): void;
  /** From now on the blob is given to whoever asks. */
  offered(sha256: string): void;
  /** A state of the job has come. */
  received(key: string): void;
  readonly largestBlobBytes: number;
}

/**
 * GET of which blob holds the furthest state of a job's training, and PUT of a further state. It comes with its name,
 * so that no state lies here which nothing names.
 */
export function snapshotHandler(shelf: SnapshotShelf): Handler {
  const store = new SnapshotStore(shelf.cache);
  return async (request, response) => {
    const target = request.url ?? '';
    const asked = snapshotOfRoute(target);
    const sent = asked ? undefined : stateOfRoute(target);
    if (asked && request.method === 'GET') await give(shelf, store, asked, response);
    else if (sent && request.method === 'PUT') await take(shelf, store, sent, request, response);
    else if (asked || sent) {
      response.setHeader('Allow', asked ? 'GET' : 'PUT');
      refuse(response, 405, `${request.method} is not possible here`);
    } else return 'not mine';
    return 'answered';
  };
}

async function give(
  { cache, isUnderWay, asked, offered }: SnapshotShelf,
  store: SnapshotStore,
  { name, key }: NonNullable<ReturnType<typeof snapshotOfRoute>>,
  response: ServerResponse,
): Promise<void> {
  const known = isUnderWay(key);
  if (known) asked(key);
  const snapshot = known ? await store.find(name) : undefined;
  if (!snapshot || !(await cache.blobs.has(snapshot.sha256))) return refuse(response, 404, 'there is no such snapshot');
  offered(snapshot.sha256);
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(snapshot));
}

async function take(
  shelf: SnapshotShelf,
  store: SnapshotStore,
  { name, key, snapshot }: NonNullable<ReturnType<typeof stateOfRoute>>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { cache, largestBlobBytes } = shelf;
  const { sha256, steps } = snapshot;
  if (!shelf.isUnderWay(key) || shelf.isWeights(sha256)) return refuse(response, 422, 'no state of a job under way');
  if (((await store.find(name))?.steps ?? -1) >= steps) return refuse(response, 409, 'a further state is known');
  switch (await receiveBlob(shelf, sha256, request)) {
    case 'too large':
      return refuse(response, 413, `a state of this run has at most ${largestBlobBytes} bytes`);
    case 'other content':
      return refuse(response, 422, `the SHA-256 of what was sent is not ${sha256}`);
    case 'broken off':
      return;
    case 'stored': {
      // While it came the job may have ended, or another worker may have sent a further one.
      const isWanted = shelf.isUnderWay(key) && (await store.point(name, snapshot)).sha256 === sha256;
      if (!isWanted && !shelf.isWeights(sha256)) await cache.blobs.deleteUnlessShared(sha256);
      shelf.received(key);
      response.writeHead(isWanted ? 201 : 409).end();
    }
  }
}
