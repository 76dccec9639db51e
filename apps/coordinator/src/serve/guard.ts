import type { MiddlewareHandler } from 'hono';
import { secureHeaders } from 'hono/secure-headers';
import { isLoopback } from '../http/listen-address.js';
import { BOARD_PATH } from './queue-board.js';

/** What every answer says to the browser: nothing but this server's own files runs, and no other site embeds them. */
export function headers(): MiddlewareHandler {
  const own = headersWith({ styleSrc: ["'self'"], baseUri: ["'none'"] });
  // bull-board has style attributes and a <base>; scripts are no freer there.
  const board = headersWith({ styleSrc: ["'self'", "'unsafe-inline'"], baseUri: ["'self'"] });
  return (c, next) => (c.req.path.startsWith(`${BOARD_PATH}/`) || c.req.path === BOARD_PATH ? board : own)(c, next);
}

function headersWith({ styleSrc, baseUri }: { styleSrc: string[]; baseUri: string[] }): MiddlewareHandler {
  return secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc,
      imgSrc: ["'self'", 'data:'],
      connectSrc: ["'self'"],
      formAction: ["'self'"],
      baseUri,
      frameAncestors: ["'none'"],
    },
    xFrameOptions: 'DENY',
    // Nothing to others; but `no-referrer` would have browsers send forms of our own without their origin.
    referrerPolicy: 'same-origin',
    // TLS is the business of a proxy, if there is one.
    strictTransportSecurity: false,
  });
}

/**
 * Without a secret the machine's own users are trusted, and they alone: a web page elsewhere could have its name point
 * at 127.0.0.1 and read what it likes, but its requests name its own host.
 */
export function loopbackOnly(): MiddlewareHandler {
  return async (c, next) => {
    const host = (c.req.header('host') ?? '').replace(/:\d+$/, '');
    if (isLoopback(host)) return next();
    return c.json({ code: 'HOST', message: 'this server answers to localhost only' }, 421);
  };
}
