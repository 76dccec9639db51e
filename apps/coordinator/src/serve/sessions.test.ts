import { expect, it } from 'vitest';
import { FailedLogins } from './failed-logins.js';
import { serveAddress } from './serve-address.js';
import { Sessions } from './sessions.js';

const HOUR_MS = 3_600_000;

it('Sessions: a token is a session until it is unused for twelve hours, or ended', () => {
  let now = 0;
  const sessions = new Sessions(() => now);
  const [used, idle, ended] = [sessions.open(), sessions.open(), sessions.open()];
  sessions.end(ended);
  now = 11 * HOUR_MS;
  expect([used, idle, ended, undefined, ''].map((token) => token !== idle && sessions.use(token))).toEqual([
    true,
    false,
    false,
    false,
    false,
  ]);
  now = 13 * HOUR_MS;
  expect([sessions.use(used), sessions.use(idle)]).toEqual([true, false]);
});

it('Sessions: the oldest of more than a thousand is over', () => {
  const sessions = new Sessions();
  const tokens = Array.from({ length: 1_001 }, () => sessions.open());
  expect([sessions.use(tokens[0]), sessions.use(tokens[1])]).toEqual([false, true]);
});

it('FailedLogins: the eleventh attempt of one address in a minute waits, others do not', () => {
  let now = 0;
  const failed = new FailedLogins(() => now);
  for (let i = 0; i < 10; i++) {
    expect(failed.waitSeconds('a')).toBe(0);
    failed.note('a');
  }
  now = 15_000;
  expect([failed.waitSeconds('a'), failed.waitSeconds('b')]).toEqual([45, 0]);
  now = 60_000;
  expect(failed.waitSeconds('a')).toBe(0);
});

it.each(['0.0.0.0', '::', '192.168.1.5', 'trainer.local'])('serveAddress: %s wants a secret', (host) => {
  expect(() => serveAddress(host, 0, undefined)).toThrow(expect.objectContaining({ code: 'SECRET_MISSING' }));
  expect(() => serveAddress(host, 0, 'short')).toThrow(expect.objectContaining({ code: 'SECRET_WEAK' }));
  expect(serveAddress(host, 0, 'a-secret-of-enough-length').host).toBe(host);
});

it.each(['127.0.0.1', 'localhost', '::1'])('serveAddress: %s does without', (host) => {
  expect(serveAddress(host, 0, undefined)).toEqual({ host, port: 0, secret: undefined });
});
