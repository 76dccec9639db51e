import { describe } from 'vitest';
import { itConvolvesAsOneDnn } from './winograd.fixture.js';

// Read when TensorFlow loads: hence a file, and so a process, of its own.
process.env.ONEDNN_MAX_CPU_ISA = 'AVX2';

describe('3x3 convolutions by Winograd’s algorithm with vectors no longer than AVX2’s', () => {
  itConvolvesAsOneDnn();
});
