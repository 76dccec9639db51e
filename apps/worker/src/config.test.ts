import { describe, expect, it } from 'vitest';
import { readConfig } from './config.js';

const BROKER = { REDIS_URL: 'redis://broker:6379' };

describe('worker settings', () => {
  it('know no coordinator and no limit unless told', () => {
    expect(readConfig(BROKER)).toMatchObject({
      coordinator: undefined,
      cacheLimitBytes: undefined,
      ownRunIds: [],
    });
  });

  it('take variables that are set to nothing for not set', () => {
    const nothing = { NESGD_COORDINATOR: '', NESGD_SECRET: '', NESGD_CACHE_LIMIT_GB: '', NESGD_OWN_RUN: '' };
    expect(readConfig({ ...BROKER, ...nothing }).coordinator).toBeUndefined();
  });

  it('take a coordinator with its secret, and a limit in gigabytes', () => {
    const env = {
      ...BROKER,
      NESGD_COORDINATOR: 'http://10.0.0.1:7300',
      NESGD_SECRET: 's',
      NESGD_CACHE_LIMIT_GB: '1.5',
    };
    expect(readConfig(env)).toMatchObject({
      coordinator: { url: 'http://10.0.0.1:7300', secret: 's' },
      cacheLimitBytes: 1.5e9,
    });
  });

  it.each([
    [{ NESGD_COORDINATOR: 'http://10.0.0.1:7300' }, /NESGD_SECRET: must be the secret/],
    [{ NESGD_COORDINATOR: '10.0.0.1:7300', NESGD_SECRET: 's' }, /wants http/],
    [{ NESGD_COORDINATOR: 'redis://10.0.0.1:7300', NESGD_SECRET: 's' }, /wants http/],
    [{ NESGD_COORDINATOR: 'http://user:pw@10.0.0.1:7300', NESGD_SECRET: 's' }, /without user/],
    [{ NESGD_CACHE_LIMIT_GB: '-1' }, /NESGD_CACHE_LIMIT_GB is "-1": wants a number of gigabytes above 0/],
    [{ NESGD_CACHE_LIMIT_GB: 'much' }, /NESGD_CACHE_LIMIT_GB is "much": wants a number of gigabytes above 0/],
    [
      { NESGD_LOCK_DURATION_MS: 'soon' },
      /NESGD_LOCK_DURATION_MS is "soon": wants a whole number of milliseconds, 500 or more/,
    ],
    [
      { NESGD_STALLED_INTERVAL_MS: '0.5' },
      /NESGD_STALLED_INTERVAL_MS is "0.5": wants a whole number of milliseconds, 100/,
    ],
    [{ NESGD_WORKER_JOBS: '0' }, /NESGD_WORKER_JOBS is "0": wants a whole number of jobs, 1 or more/],
    [{ NESGD_WORKER_IDLE_S: 'long' }, /NESGD_WORKER_IDLE_S is "long": wants a number of seconds above 0/],
    [{ NESGD_LOG_LEVEL: 'loud' }, /NESGD_LOG_LEVEL is "loud": wants one of trace, debug/],
    [{ REDIS_URL: 'http://:hush@x' }, /^(?!.*hush).*REDIS_URL: wants redis:\/\/host:port/s],
  ])('refuse %j', (env, message) => {
    expect(() => readConfig({ ...BROKER, ...env })).toThrow(message);
  });
});
