import { createBullBoard } from '@bull-board/api';
import { BullMQAdapter } from '@bull-board/api/bullMQAdapter';
import { HonoAdapter } from '@bull-board/hono';
import { serveStatic } from '@hono/node-server/serve-static';
import { QUEUE_NAME, QUEUE_PREFIX } from '@nesgd/core/protocol';
import { Queue } from 'bullmq';
import type { Hono } from 'hono';
import { Redis } from 'ioredis';

/** Where bull-board stands. */
export const BOARD_PATH = '/queue';

/** The broker as a watcher sees it: it looks, and never waits for a broker that is away. */
export interface WatchedQueue {
  readonly queue: Queue;
  readonly connection: Redis;
  /** Seconds that a round trip takes just now; undefined while the broker does not answer. */
  ping(): Promise<number | undefined>;
  close(): Promise<void>;
}

/** @param redisUrl the broker that runs and workers use. It need not be there yet. */
export function watchQueue(redisUrl: string): WatchedQueue {
  const connection = new Redis(redisUrl, {
    // A page would rather hear that the broker is away than wait for it.
    maxRetriesPerRequest: 1,
    enableOfflineQueue: false,
    connectTimeout: 2_000,
    disconnectTimeout: 200,
    retryStrategy: (times) => Math.min(times * 200, 5_000),
  });
  connection.on('error', () => {}); // Said where somebody asks: `ping`, the board.
  const queue = new Queue(QUEUE_NAME, { connection, prefix: QUEUE_PREFIX, skipVersionCheck: true });
  queue.on('error', () => {});
  return {
    queue,
    connection,
    async ping() {
      const started = performance.now();
      const answer = await connection.ping().catch(() => undefined);
      return answer === undefined ? undefined : (performance.now() - started) / 1000;
    },
    async close() {
      await queue.close().catch(() => {});
      connection.disconnect();
    },
  };
}

/** bull-board for the queue of all runs: it shows jobs and changes none. */
export function addQueueBoard(app: Hono, { queue }: WatchedQueue): void {
  const server = new HonoAdapter(serveStatic);
  server.setBasePath(BOARD_PATH);
  createBullBoard({
    queues: [new BullMQAdapter(queue, { readOnlyMode: true })],
    serverAdapter: server,
    options: { uiConfig: { boardTitle: 'nesgd: queue' } },
  });
  app.route(BOARD_PATH, server.registerPlugin());
}
