import { expect, it } from 'vitest';
import { learningRateFactor, type ScheduleSettings } from './schedule.js';

const settings: ScheduleSettings = { schedule: 'cosine', milestones: [0.5, 0.75], gamma: 0.1 };
const factors = (schedule: 'cosine' | 'multistep' | 'constant', steps: number) =>
  Array.from({ length: steps }, (_, step) => learningRateFactor({ ...settings, schedule }, step, steps));

it('cosine: starts at 1, halves in the middle, and would reach 0 after the last step', () => {
  const [first, second, third, fourth] = factors('cosine', 4);
  expect(first).toBe(1);
  expect(second).toBeCloseTo((1 + Math.SQRT1_2) / 2, 12);
  expect(third).toBeCloseTo(0.5, 12);
  expect(fourth).toBeCloseTo((1 - Math.SQRT1_2) / 2, 12);
  expect(learningRateFactor(settings, 4, 4)).toBe(0);
});

it('cosine: decays within a training of one epoch, which has only steps', () => {
  const all = factors('cosine', 47);
  expect(all.every((factor, i) => i === 0 || factor < all[i - 1]!)).toBe(true);
});

it('multistep: times gamma from each milestone on', () => {
  expect(factors('multistep', 8).map((f) => f.toFixed(3))).toEqual([
    '1.000',
    '1.000',
    '1.000',
    '1.000',
    '0.100',
    '0.100',
    '0.010',
    '0.010',
  ]);
});

it('constant: stays', () => {
  expect(new Set(factors('constant', 5))).toEqual(new Set([1]));
});
