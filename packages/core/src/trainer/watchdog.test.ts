import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { hangTimeoutMs, Watchdog } from './watchdog.js';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

it('watchdog: calls once when no sign comes for longer than its limit, and not before', () => {
  const onHang = vi.fn();
  const dog = new Watchdog(2_000, onHang);
  vi.advanceTimersByTime(1_900);
  dog.sign();
  vi.advanceTimersByTime(2_000);
  expect(onHang).not.toHaveBeenCalled();
  vi.advanceTimersByTime(60_000);
  expect(onHang).toHaveBeenCalledTimes(1);
});

it('watchdog: has five times the patience that was needed before', () => {
  const onHang = vi.fn();
  const dog = new Watchdog(10_000, onHang);
  vi.advanceTimersByTime(8_000); // The first step, which loads the data.
  dog.sign();
  vi.advanceTimersByTime(39_000);
  expect(onHang).not.toHaveBeenCalled();
  vi.advanceTimersByTime(3_000);
  expect(onHang).toHaveBeenCalledTimes(1);
});

it('watchdog: a leap of the clock is no silence', () => {
  const onHang = vi.fn();
  new Watchdog(2_000, onHang);
  vi.setSystemTime(Date.now() + 3_600_000);
  vi.advanceTimersByTime(600);
  expect(onHang).not.toHaveBeenCalled();
});

it.each([
  [{}, 600_000],
  [{ NESGD_HANG_TIMEOUT_S: '2.5' }, 2_500],
  [{ NESGD_HANG_TIMEOUT_S: '' }, 600_000],
])('hang timeout: %j is %i ms', (env, expected) => {
  expect(hangTimeoutMs(env)).toBe(expected);
});

it.each(['soon', '0', '-1', 'NaN'])('hang timeout: %s is refused', (text) => {
  expect(() => hangTimeoutMs({ NESGD_HANG_TIMEOUT_S: text })).toThrow(/give seconds/);
});
