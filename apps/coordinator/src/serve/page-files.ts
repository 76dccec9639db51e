import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { InputError } from '@nesgd/core/errors';
import type { Hono } from 'hono';

/** Where the set-up has Vite leave the page. */
const PAGE_FOLDER = fileURLToPath(new URL('../../../dashboard/dist/', import.meta.url));

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
};

interface PageFile {
  readonly type: string;
  readonly plain: Uint8Array<ArrayBuffer>;
  readonly zipped: Uint8Array<ArrayBuffer>;
  readonly etag: string;
}

/**
 * The page's files, all of them, read once: a request picks one of these by its name and never reaches the file
 * system. Every other path gets the page itself, whose script knows the views.
 * @throws InputError where the page was not built.
 */
export function addPage(app: Hono): void {
  const files = readPage();
  const page = files.get('/index.html');
  if (!page) {
    throw new InputError('PAGE_MISSING', 'the dashboard is not built: "npm run setup" builds it');
  }
  app.get('*', (c) => {
    // Names below /assets/ carry a hash of their content: one that is not here is another version's.
    const isLasting = c.req.path.startsWith('/assets/');
    const file = files.get(c.req.path) ?? (isLasting ? undefined : page);
    if (!file) return c.notFound();
    c.header('Cache-Control', isLasting ? 'private, max-age=31536000, immutable' : 'no-cache');
    c.header('ETag', file.etag);
    c.header('Vary', 'Accept-Encoding');
    if (c.req.header('if-none-match') === file.etag) return c.body(null, 304);
    c.header('Content-Type', file.type);
    if (!/\bgzip\b/.test(c.req.header('accept-encoding') ?? '')) return c.body(file.plain);
    c.header('Content-Encoding', 'gzip');
    return c.body(file.zipped);
  });
}

function readPage(): Map<string, PageFile> {
  const files = new Map<string, PageFile>();
  for (const name of listPage()) {
    const type = TYPES[extname(name)];
    if (!type) continue;
    const plain = new Uint8Array(readFileSync(join(PAGE_FOLDER, name)));
    const etag = `"${createHash('sha256').update(plain).digest('base64url').slice(0, 22)}"`;
    files.set(`/${name.split(sep).join('/')}`, { type, plain, zipped: new Uint8Array(gzipSync(plain)), etag });
  }
  return files;
}

function listPage(): string[] {
  try {
    return readdirSync(PAGE_FOLDER, { recursive: true, encoding: 'utf8' });
  } catch {
    return [];
  }
}
