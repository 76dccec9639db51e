import { ReadableStream } from 'node:stream/web';
import type { RunSnapshot } from '@nesgd/core/view';
import type { Context, TypedResponse } from 'hono';
import type { RunFollower } from './run-follower.js';

type SnapshotResponse = Response & TypedResponse<RunSnapshot, 200, 'json'>;

/**
 * A `RunSnapshot` as JSON, piece by piece as it is taken: the lines go out as they are kept, and other requests are
 * answered between them.
 * @param from the first line.
 * @param limit of lines.
 */
export function snapshotResponse(c: Context, follower: RunFollower, from: number, limit?: number): SnapshotResponse {
  const body = ReadableStream.from(snapshotPieces(follower, from, limit ?? Number.POSITIVE_INFINITY));
  const response: Response = c.body(body, 200, { 'Content-Type': 'application/json' });
  return response as SnapshotResponse; // What it holds as text.
}

async function* snapshotPieces(follower: RunFollower, from: number, limit: number): AsyncGenerator<Uint8Array> {
  // All of one moment: the follower goes on while this is sent.
  const { runId, lines, pulse, progress, journal } = follower;
  const head: Omit<RunSnapshot, 'lines'> = { runId, journal, ...pulse, reading: progress };
  const pieces = lines.slice(from, Math.min(lines.length, from + limit));
  yield Buffer.from(`${JSON.stringify(head).slice(0, -1)},"lines":[`);
  yield* pieces;
  yield Buffer.from(']}');
}
