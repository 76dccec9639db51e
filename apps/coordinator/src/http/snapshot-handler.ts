import type { IncomingMessage } from 'node:http';
import { type CacheFolder, type Snapshot, SnapshotStore, snapshotSchema } from '@nesgd/core/storage';
import { snapshotOfRoute } from '@nesgd/core/transfer';
import { type Handler, refuse } from './http-server.js';

export interface SnapshotShelf {
  readonly cache: CacheFolder;
  /** Whether a job of this key is under way. */
  isUnderWay(key: string): boolean;
  /** Whether the blob came from a worker and is nothing that a job names: only such a one may be replaced by the next. */
  wasUploaded(sha256: string): boolean;
  /** From now on the blob is given to whoever asks. */
  offered(sha256: string): void;
}

const LARGEST_BODY_BYTES = 1_000;

/** GET and PUT of which blob holds the furthest state of a job's training; the blob itself travels as weights do. */
export function snapshotHandler({ cache, isUnderWay, wasUploaded, offered }: SnapshotShelf): Handler {
  const store = new SnapshotStore(cache);
  return async (request, response) => {
    const asked = snapshotOfRoute(request.url ?? '');
    if (asked === undefined) return 'not mine';
    const { name, key } = asked;
    const known = isUnderWay(key);
    if (request.method === 'GET') {
      const snapshot = known ? await store.find(name) : undefined;
      if (!snapshot || !(await cache.blobs.has(snapshot.sha256))) refuse(response, 404, 'there is no such snapshot');
      else {
        offered(snapshot.sha256);
        response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(snapshot));
      }
    } else if (request.method === 'PUT') {
      const snapshot = known ? await bodyOf(request) : undefined;
      if (!snapshot || !wasUploaded(snapshot.sha256)) refuse(response, 422, 'no state of a job that is under way');
      else {
        await store.point(name, snapshot);
        response.writeHead(201).end();
      }
    } else {
      response.setHeader('Allow', 'GET, PUT');
      refuse(response, 405, `${request.method} is not possible here`);
    }
    return 'answered';
  };
}

async function bodyOf(request: IncomingMessage): Promise<Snapshot | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > LARGEST_BODY_BYTES) return undefined;
    chunks.push(chunk);
  }
  try {
    return snapshotSchema.safeParse(JSON.parse(Buffer.concat(chunks).toString('utf8'))).data;
  } catch {
    return undefined;
  }
}
