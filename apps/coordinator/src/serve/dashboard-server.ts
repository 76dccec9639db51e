import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { csrf } from 'hono/csrf';
import { HTTPException } from 'hono/http-exception';
import { listenOn } from '../http/http-server.js';
import { RunReader } from '../reading/run-reader.js';
import { VERSION } from '../version.js';
import { createApi } from './api.js';
import { headers, loopbackOnly } from './guard.js';
import { addLogin } from './login.js';
import { LOGIN_CSS } from './login-page.js';
import { addMetrics } from './metrics.js';
import { addPage } from './page-files.js';
import { addProbes } from './probes.js';
import { addQueueBoard, BOARD_PATH, watchQueue } from './queue-board.js';
import { RunFollowers } from './run-followers.js';
import type { ServeAddress } from './serve-address.js';

/** A peer may be silent for this long before its request is there. */
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const LONGEST_HEADERS_BYTES = 16 * 1024;
const MOST_CONNECTIONS = 1_000;

export interface DashboardServer {
  /** `http://host:port`, for people. */
  readonly url: string;
  close(): Promise<void>;
}

export interface Served {
  readonly runsFolder: string;
  /** The broker whose queue is shown as well. */
  readonly redisUrl: string | undefined;
}

/**
 * Serves the page and its API for the runs of a folder.
 * @throws InputError where the address cannot be listened on, or the page was not built.
 */
export async function startDashboard(
  { host, port, secret }: ServeAddress,
  { runsFolder, redisUrl }: Served,
  onError: (error: unknown) => void,
): Promise<DashboardServer> {
  const app = new Hono();
  app.use(headers());
  const watched = redisUrl === undefined ? undefined : watchQueue(redisUrl);
  addProbes(app, watched);
  app.use(csrf());
  app.get('/login.css', (c) => c.body(LOGIN_CSS, 200, { 'Content-Type': 'text/css; charset=utf-8' }));
  if (secret === undefined) app.use(loopbackOnly());
  else addLogin(app, secret);
  const reader = new RunReader(runsFolder);
  const followers = new RunFollowers(reader);
  const description = {
    version: VERSION,
    node: process.versions.node,
    login: secret !== undefined,
    queueBoard: watched ? BOARD_PATH : null,
  };
  app.route('/api', createApi(followers, description, watched?.connection));
  addMetrics(app, followers, watched);
  if (watched) addQueueBoard(app, watched);
  addPage(app);
  app.onError((error, c) => {
    if (error instanceof HTTPException) return error.getResponse(); // A refusal of the framework's.
    onError(error);
    return c.json({ code: 'FAILED', message: 'the coordinator failed; its own output says how' }, 500);
  });

  const server = createServer(
    {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: 2_000,
      maxHeaderSize: LONGEST_HEADERS_BYTES,
    },
    getRequestListener(app.fetch, { overrideGlobalObjects: false }),
  );
  server.maxConnections = MOST_CONNECTIONS;
  await listenOn(server, host, port);
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    async close() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections(); // Event streams would never end by themselves.
      });
      await watched?.close();
      await reader.close();
    },
  };
}
