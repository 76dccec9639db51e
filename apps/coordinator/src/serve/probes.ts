import { setTimeout as sleep } from 'node:timers/promises';
import type { Hono } from 'hono';
import type { WatchedQueue } from './queue-board.js';

const BROKER_TIMEOUT_MS = 2_000;

/**
 * What a container's health check asks, without the secret: `/healthz`, whether this process answers at all; `/readyz`,
 * whether its broker does as well, where there is one. They say nothing else.
 */
export function addProbes(app: Hono, watched: WatchedQueue | undefined): void {
  app.get('/healthz', (c) => c.text('ok\n'));
  app.get('/readyz', async (c) => {
    if (!watched) return c.text('ok\n');
    const gone = new AbortController();
    const timeout = sleep(BROKER_TIMEOUT_MS, undefined, { signal: gone.signal }).catch(() => undefined);
    const answer = await Promise.race([watched.ping(), timeout]);
    gone.abort();
    return answer === undefined ? c.text('the broker does not answer\n', 503) : c.text('ok\n');
  });
}
