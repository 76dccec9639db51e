import { describe, expect, it } from 'vitest';
import { isLoopback, listenSettings } from './listen-address.js';

const SECRET = 'a-secret-of-enough-length';

describe('listenSettings', () => {
  it.each([
    ['0.0.0.0:7300', '0.0.0.0', 7300],
    ['127.0.0.1:0', '127.0.0.1', 0],
    ['[::1]:7300', '::1', 7300],
    ['trainer-3.local:80', 'trainer-3.local', 80],
  ])('reads %s', (flag, host, port) => {
    expect(listenSettings('--listen', flag, SECRET)).toEqual({ host, port, secret: SECRET });
  });

  it('listens nowhere when nothing is said', () => {
    expect(listenSettings('NESGD_LISTEN', undefined, SECRET)).toBeUndefined();
  });

  it.each(['7300', ':7300', 'host', 'host:', 'host:70000', 'http://host:80', '::1:80', 'a b:80', ''])(
    'refuses %j as an address',
    (flag) => {
      expect(() => listenSettings('--listen', flag, SECRET)).toThrow(
        expect.objectContaining({
          code: 'LISTEN_ADDRESS',
          message: expect.stringContaining(`--listen ${flag}: wants`),
        }),
      );
    },
  );

  it.each(['0.0.0.0:7300', '127.0.0.1:7300'])('listens on %s with a secret only', (flag) => {
    expect(() => listenSettings('--listen', flag, undefined)).toThrow(
      expect.objectContaining({ code: 'SECRET_MISSING' }),
    );
  });

  it.each(['short', 'with a space in the middle', 'ümlaut-is-not-for-a-header'])(
    'refuses the secret %j without showing it',
    (secret) => {
      expect(() => listenSettings('--listen', '0.0.0.0:1', secret)).toThrow(
        expect.objectContaining({ code: 'SECRET_WEAK', message: expect.not.stringContaining(secret) }),
      );
    },
  );
});

describe('isLoopback', () => {
  it.each(['localhost', '127.0.0.1', '127.8.9.1', '::1', '[::1]'])('%s is', (host) => {
    expect(isLoopback(host)).toBe(true);
  });
  it.each(['0.0.0.0', '10.0.0.1', '::', '127.0.0.1.example.org', 'localhost.example.org'])('%s is not', (host) => {
    expect(isLoopback(host)).toBe(false);
  });
});
