import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ORDINARY_MEANS } from '../../../protocol/index.js';
import { loadTensorFlow } from './runtime.js';
import { itConvolvesAsOneDnn } from './winograd.fixture.js';

describe('3x3 convolutions by Winograd’s algorithm', () => {
  it('are there where the processor has AVX-512, or AVX2 and FMA', () => {
    const flags = readFileSync('/proc/cpuinfo', 'utf8');
    const expected = flags.includes(' avx512f ') || (flags.includes(' avx2 ') && flags.includes(' fma '));
    expect(loadTensorFlow(1, ORDINARY_MEANS).winograd).toBe(expected);
  });

  itConvolvesAsOneDnn();
});
