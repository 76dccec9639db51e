import { expect, it } from 'vitest';
import { faultsOf, type HealthReport, stuckFault } from './health-report.js';

const NOW = 1_000_000;
const well: HealthReport = {
  writtenAtMs: NOW - 2_000,
  everyMs: 2_000,
  brokerSilentMs: 1_900,
  trainerSilentMs: 10,
  refusal: null,
};

it('faultsOf: finds none in a worker whose broker and trainer answer, or that has no trainer yet', () => {
  expect(faultsOf(well, NOW)).toEqual([]);
  expect(faultsOf({ ...well, trainerSilentMs: null }, NOW)).toEqual([]);
});

it.each<[string, Partial<HealthReport>, RegExp]>([
  ['a report that is five beats old', { writtenAtMs: NOW - 10_001 }, /^the worker has not reported for 10 s$/],
  ['a report of before the machine was started', { writtenAtMs: NOW + 1 }, /has not reported since the machine/],
  ['a broker that missed five beats', { brokerSilentMs: 10_001 }, /^the broker has not answered for 10 s$/],
  ['a trainer silent for longer than steps take', { trainerSilentMs: 120_001 }, /^the trainer has not .* 120 s$/],
  ['a job that this worker cannot do', { refusal: 'no engine' }, /could not do the job that it met last: no engine$/],
])('faultsOf: names %s', (_, change, says) => {
  expect(faultsOf({ ...well, ...change }, NOW)).toEqual([expect.stringMatching(says)]);
});

it('stuckFault: a worker whose broker is away and whose trainer hangs is not stuck itself', () => {
  expect(stuckFault({ ...well, brokerSilentMs: 1e6, trainerSilentMs: 1e6 }, NOW)).toBeUndefined();
  expect(stuckFault({ ...well, writtenAtMs: NOW - 10_001 }, NOW)).toMatch(/not reported/);
});
