import { expect, it } from 'vitest';
import { EDITION } from '../edition.js';
import { trainingKey } from './training-key.js';

it('another job, or another edition of the engine, is another key; the order of a job’s fields is not', () => {
  const job = { kind: 'alpha', epochs: 3 };
  expect(trainingKey(job)).toBe(trainingKey({ epochs: 3, kind: 'alpha' }));
  expect(trainingKey({ ...job, epochs: 4 })).not.toBe(trainingKey(job));
  expect(trainingKey(job, { ...EDITION, operations: 'before' })).not.toBe(trainingKey(job));
});
