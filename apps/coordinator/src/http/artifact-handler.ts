import { type FileHandle, open } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { CacheFolder } from '@nesgd/core/storage';
import { type Artifact, artifactOfRoute, artifactPath } from '@nesgd/core/transfer';
import { byteRange } from './byte-range.js';
import { type Handler, refuse } from './http-server.js';
import { receiveBlob } from './receive-blob.js';

/** What the service may give away and take, just now. */
export interface Shelf {
  readonly cache: CacheFolder;
  /** Nothing of the cache but these leaves it. */
  knows(artifact: Artifact): boolean;
  /** Weights that a worker stored are here now. */
  received(artifact: Artifact): void;
  /** Weights of this run's network cannot be larger. */
  readonly largestBlobBytes: number;
}

/**
 * GET and HEAD of what the run knows, with ranges, so that a broken transfer goes on where it ended; PUT of weights,
 * which get their place once their SHA-256 is that of their name.
 */
export function artifactHandler(shelf: Shelf): Handler {
  return async (request, response) => {
    const artifact = artifactOfRoute(request.url ?? '');
    if (!artifact) return 'not mine';
    if (request.method === 'GET' || request.method === 'HEAD') await give(shelf, artifact, request, response);
    else if (request.method === 'PUT' && artifact.kind === 'blobs') await take(shelf, artifact, request, response);
    else {
      response.setHeader('Allow', artifact.kind === 'blobs' ? 'GET, HEAD, PUT' : 'GET, HEAD');
      refuse(response, 405, `${request.method} is not possible here`);
    }
    return 'answered';
  };
}

async function give(
  shelf: Shelf,
  artifact: Artifact,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  // Unknown to the run and missing from the cache look alike.
  const file = shelf.knows(artifact) ? await openIfThere(artifactPath(shelf.cache, artifact)) : undefined;
  if (!file) return refuse(response, 404, 'this run knows no such artifact');
  try {
    const { size } = await file.stat();
    const etag = `"${artifact.sha256}"`;
    const ifRange = request.headers['if-range'];
    const range = byteRange(ifRange === undefined || ifRange === etag ? request.headers.range : undefined, size);
    response.setHeader('ETag', etag);
    response.setHeader('Accept-Ranges', 'bytes');
    response.setHeader('Content-Type', 'application/octet-stream');
    if (range === 'unsatisfiable') {
      response.writeHead(416, { 'Content-Range': `bytes */${size}` }).end();
      return;
    }
    const { first, last } = range === 'whole' ? { first: 0, last: size - 1 } : range;
    response.setHeader('Content-Length', last - first + 1);
    if (range === 'whole') response.writeHead(200);
    else response.writeHead(206, { 'Content-Range': `bytes ${first}-${last}/${size}` });
    if (request.method === 'HEAD' || size === 0) response.end();
    else await pipeline(file.createReadStream({ start: first, end: last, autoClose: false }), response);
  } catch (error) {
    // A peer that went away is no fault of ours: it comes back and asks for the rest.
    if (!response.destroyed) throw error;
  } finally {
    await file.close();
  }
}

async function take(
  shelf: Shelf,
  artifact: Artifact,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { largestBlobBytes } = shelf;
  switch (await receiveBlob(shelf, artifact.sha256, request)) {
    case 'too large':
      return refuse(response, 413, `weights of this run have at most ${largestBlobBytes} bytes`);
    case 'other content':
      return refuse(response, 422, `the SHA-256 of what was sent is not ${artifact.sha256}`);
    case 'broken off':
      return; // Nobody hears an answer; the peer may begin anew.
    case 'stored':
      shelf.received(artifact);
      response.writeHead(201).end();
  }
}

function openIfThere(path: string): Promise<FileHandle | undefined> {
  return open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
}
