import { expect, it } from 'vitest';
import { ORDINARY_MEANS } from '../../../protocol/index.js';
import { loadTensorFlow } from './runtime.js';

it('3x3 convolutions are left to oneDNN where it may use neither AVX2 nor AVX-512', () => {
  process.env.ONEDNN_MAX_CPU_ISA = 'AVX';
  expect(loadTensorFlow(1, ORDINARY_MEANS).winograd).toBe(false);
});
