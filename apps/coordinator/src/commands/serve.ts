import { once } from 'node:events';
import { resolve } from 'node:path';
import type { CoordinatorConfig } from '../config.js';
import { type DashboardServer, startDashboard } from '../serve/dashboard-server.js';
import { DEFAULT_SERVE_PORT, serveAddress } from '../serve/serve-address.js';

export interface ServeOptions {
  readonly runs: string;
  readonly port?: number;
  readonly host: string;
  /** Prints the address as one line of JSON, for programs that start it. */
  readonly json: boolean;
}

/** `nesgd serve`: shows the runs of a folder until `signal`. @throws InputError for an address that cannot be served. */
export async function serve(options: ServeOptions, config: CoordinatorConfig, signal: AbortSignal): Promise<void> {
  const server = await openDashboard(options, config);
  const { url } = server;
  if (options.json) process.stdout.write(`${JSON.stringify({ url })}\n`);
  else process.stderr.write(`the runs of ${resolve(options.runs)}: ${url} (Ctrl-C ends)\n`);
  if (!signal.aborted) await once(signal, 'abort');
  await server.close();
}

/** @throws InputError */
export function openDashboard(
  { runs, host, port }: Pick<ServeOptions, 'runs' | 'port' | 'host'>,
  { secret, redisUrl }: CoordinatorConfig,
): Promise<DashboardServer> {
  const address = serveAddress(host, port ?? DEFAULT_SERVE_PORT, secret);
  return startDashboard(address, { runsFolder: runs, redisUrl }, (error) => {
    process.stderr.write(`nesgd: dashboard: ${error instanceof Error ? error.stack : String(error)}\n`);
  });
}
