import { expect, it } from 'vitest';
import { EDITION } from '../edition.js';
import { keyOfSnapshot } from './snapshots.js';
import { keyOnProcessor, trainingKey } from './training-key.js';

it('another job, or another edition of the engine, is another key; the order of a job’s fields is not', () => {
  const job = { kind: 'alpha', epochs: 3 };
  expect(trainingKey(job)).toBe(trainingKey({ epochs: 3, kind: 'alpha' }));
  expect(trainingKey({ ...job, epochs: 4 })).not.toBe(trainingKey(job));
  expect(trainingKey(job, { ...EDITION, operations: 'before' })).not.toBe(trainingKey(job));
});

it('keyOnProcessor: of a key, another for each kind; the key itself where it plays no part', () => {
  const key = trainingKey({ kind: 'alpha' });
  const [amd, intel] = [keyOnProcessor(key, 'AMD'), keyOnProcessor(key, 'Intel')];
  expect(new Set([key, amd, intel, keyOnProcessor(trainingKey({ kind: 'other' }), 'AMD')]).size).toBe(4);
  expect(keyOnProcessor(key, undefined)).toBe(key);
  expect([key, amd, intel].map(keyOfSnapshot)).toEqual([key, key, key]);
});
