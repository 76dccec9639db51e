import { ARITHMETIC } from '@nesgd/core/runtime';
import { expect, it } from 'vitest';
import { alphaFile } from './alpha.js';

it('an alpha of another job, or of another edition of the engine, is another file', () => {
  const job = { kind: 'alpha', epochs: 3 };
  expect(alphaFile(job)).toBe(alphaFile({ epochs: 3, kind: 'alpha' }));
  expect(alphaFile({ ...job, epochs: 4 })).not.toBe(alphaFile(job));
  expect(alphaFile(job, { ...ARITHMETIC, operations: 'before' })).not.toBe(alphaFile(job));
});
