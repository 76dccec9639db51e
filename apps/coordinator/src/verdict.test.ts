import { expect, it } from 'vitest';
import { verdictOn } from './verdict.js';

it.each([
  ['11011', 0.91, 'better'],
  ['11111', 0.91, 'alpha trained longer'],
  ['11011', 0.9, 'not better'],
  ['11111', 0.9, 'not better'],
  ['00000', 0.5, 'not better'],
])('verdict: the mask %s of fitness %f beside an alpha of 0.9 is %s', (mask, accuracy, wanted) => {
  const best = { mask, accuracy, testAccuracy: 1, weights: '' };
  expect(verdictOn({ best, alpha: { accuracy: 0.9, testAccuracy: 0 } }, 'ne-sgd')).toBe(wanted);
});
