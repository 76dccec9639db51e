import { getConnInfo } from '@hono/node-server/conninfo';
import type { Context, Hono, MiddlewareHandler } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { bearerCheck } from '../http/bearer.js';
import { FailedLogins } from './failed-logins.js';
import { loginPage } from './login-page.js';
import { Sessions } from './sessions.js';

const COOKIE = 'nesgd_session';
const LARGEST_FORM_BYTES = 4 * 1024;
/** All that strangers see. */
const OPEN_PATHS = ['/login', '/login.css'];

/**
 * Login by the secret, once, in a form that needs no script. From then on the browser proves itself by a session's
 * cookie, which no script can read and no other site can have sent; programs send the secret as a bearer token.
 */
export function addLogin(app: Hono, secret: string): void {
  const sessions = new Sessions();
  const failed = new FailedLogins();
  const isSecret = bearerCheck(secret);

  app.use(demandLogin(sessions, isSecret));
  app.get('/login', (c) => c.html(loginPage()));
  app.post('/login', bodyLimit({ maxSize: LARGEST_FORM_BYTES }), async (c) => {
    const address = getConnInfo(c).remote.address ?? '';
    const wait = failed.waitSeconds(address);
    if (wait > 0) {
      c.header('Retry-After', String(wait));
      return c.html(loginPage(`Too many wrong secrets. Try again in ${wait} seconds.`), 429);
    }
    const { secret: given } = await c.req.parseBody();
    if (typeof given !== 'string' || !isSecret(`Bearer ${given}`)) {
      failed.note(address);
      return c.html(loginPage('That is not the secret (NESGD_SECRET of the coordinator).'), 401);
    }
    setCookie(c, COOKIE, sessions.open(), { httpOnly: true, sameSite: 'Strict', path: '/', secure: isEncrypted(c) });
    return c.redirect('/', 303);
  });
  app.post('/logout', (c) => {
    sessions.end(getCookie(c, COOKIE));
    deleteCookie(c, COOKIE, { path: '/' });
    return c.redirect('/login', 303);
  });
}

function demandLogin(sessions: Sessions, isSecret: (authorization: string | undefined) => boolean): MiddlewareHandler {
  return async (c, next) => {
    const isAllowed = isSecret(c.req.header('authorization')) || sessions.use(getCookie(c, COOKIE));
    if (isAllowed || OPEN_PATHS.includes(c.req.path)) return next();
    // The same answer whatever the path: what exists is not for strangers to know.
    if (c.req.header('accept')?.includes('text/html')) return c.redirect('/login', 303);
    return c.json({ code: 'LOGIN', message: 'log in at /login, or send the secret as a bearer token' }, 401);
  };
}

/** Behind a proxy with a certificate the cookie must not travel in the clear either. */
function isEncrypted(c: Context): boolean {
  return c.req.header('x-forwarded-proto') === 'https';
}
