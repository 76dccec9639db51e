import type { MiddlewareHandler } from 'hono';

/**
 * What changes something is asked for by this server's own page or by a program, never by another site's page in a
 * browser that has logged in here. A page elsewhere can send forms and plain text, but `application/json` only where
 * the server allows it beforehand, which this one never does; and browsers say where a request comes from.
 */
export function ownRequestsOnly(): MiddlewareHandler {
  return async (c, next) => {
    if (c.req.method === 'GET' || c.req.method === 'HEAD') return next();
    const origin = c.req.header('origin');
    const site = c.req.header('sec-fetch-site');
    const isOwn = (origin === undefined || hostOf(origin) === c.req.header('host')) && isOwnSite(site);
    if (!isOwn) return c.json({ code: 'ORIGIN', message: 'this is not for pages of other servers' }, 403);
    if (!/^application\/json\s*(;|$)/i.test(c.req.header('content-type') ?? ''))
      return c.json({ code: 'CONTENT_TYPE', message: 'send it as Content-Type: application/json' }, 415);
    return next();
  };
}

/** Programs other than browsers do not say; `none` is what a person typed. */
function isOwnSite(site: string | undefined): boolean {
  return site === undefined || site === 'same-origin' || site === 'none';
}

/** Not its scheme: behind a proxy with a certificate that is another here. */
function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}
