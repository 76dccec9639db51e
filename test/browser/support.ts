import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Browser, chromium } from 'playwright-core';

/** Debian's, then the names that other systems give it. */
const CANDIDATES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** Starts the Chromium of this machine, without a window; `NESGD_CHROMIUM` names another. The caller closes it. */
export async function openBrowser(): Promise<Browser> {
  const executablePath = process.env.NESGD_CHROMIUM ?? CANDIDATES.find(existsSync);
  if (!executablePath) {
    throw new Error('no Chromium is here: install it (apt-get install chromium), or set NESGD_CHROMIUM to its path');
  }
  // Its sandbox refuses root, who runs tests in containers; they open nothing but what is ours.
  const sandbox = process.getuid?.() !== 0;
  return chromium.launch({ executablePath, chromiumSandbox: sandbox, args: ['--enable-unsafe-swiftshader'] });
}

export interface FileServer {
  /** `http://127.0.0.1:port` */
  readonly url: string;
  /** Paths that were asked for and are not served. */
  readonly missing: readonly string[];
  close(): Promise<void>;
}

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript',
  json: 'application/json',
};

/** Serves files by their paths, such as `/model.json`, to this machine alone. */
export async function serveFiles(files: ReadonlyMap<string, Uint8Array | string>): Promise<FileServer> {
  const missing: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    const content = files.get(path);
    if (content === undefined) missing.push(path);
    const type = TYPES[path.slice(path.lastIndexOf('.') + 1)] ?? 'application/octet-stream';
    response.writeHead(content === undefined ? 404 : 200, { 'content-type': type }).end(content);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    missing,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
