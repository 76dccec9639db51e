import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';

/**
 * Convolutions of drawn geometry and their gradients, on a process of its own; the one that is computed is on stdout
 * before it is, so that whoever looks at a process that died knows of which.
 */
const CONVOLVE = `
  import { writeSync } from 'node:fs';
  import { rngAt } from '@nesgd/core/evolution';
  import { createEngine } from '@nesgd/core/training';
  const engine = await createEngine('tensorflow', 1);
  const [kernelSize, leastStride] = process.argv.slice(1).map(Number);
  const rng = rngAt(1, 'geometry');
  const from = (least, most) => least + rng.below(most - least + 1);
  const ones = (shape) => new Float32Array(shape.reduce((a, b) => a * b)).fill(1);
  for (let i = 0; i < 200; i++) {
    const [n, h, w] = [from(1, 5), from(1, 12), from(1, 12)];
    const [cIn, cOut, kH, kW] = [from(1, 19), from(1, 19), from(1, kernelSize), from(1, kernelSize)];
    const geometry = { stride: from(leastStride, 3), padding: from(0, 3) };
    const sizeOf = (size, k) => Math.floor((size + 2 * geometry.padding - k) / geometry.stride) + 1;
    if (sizeOf(h, kH) < 1 || sizeOf(w, kW) < 1) continue;
    const [xShape, kShape] = [[n, h, w, cIn], [kH, kW, cIn, cOut]];
    const yShape = [n, sizeOf(h, kH), sizeOf(w, kW), cOut];
    writeSync(1, JSON.stringify({ xShape, kShape, ...geometry }) + '\\n');
    const [x, dy, kernel] = [engine.tensor(ones(xShape), xShape), engine.tensor(ones(yShape), yShape), engine.variable(ones(kShape), kShape)];
    const made = [
      engine.conv2d(x, kernel, geometry),
      engine.conv2dGradInput(dy, kernel, xShape, geometry),
      engine.conv2dGradKernel(dy, x, kShape, geometry),
    ];
    for (const each of [...made, x, dy, kernel]) each.dispose();
  }
  writeSync(1, 'done');
`;

/** The C library's own check: a byte written past the end of a block ends the process when the block is given back. */
const CHECKED = { LD_PRELOAD: 'libc_malloc_debug.so.0', GLIBC_TUNABLES: 'glibc.malloc.check=3' };

describe('convolutions and their gradients keep to their memory', () => {
  it.each([
    // The longest vectors of the processor, and those of one without AVX-512, where oneDNN did not (decision 0265).
    ['1x1, strided', 1, 2, {}],
    ['1x1, strided, with AVX2 at most', 1, 2, { ONEDNN_MAX_CPU_ISA: 'AVX2' }],
    ['of any kernel', 5, 1, {}],
    ['of any kernel, with AVX2 at most', 5, 1, { ONEDNN_MAX_CPU_ISA: 'AVX2' }],
  ])('%s', (_, kernelSize, leastStride, limit) => {
    const args = ['--input-type=module', '-e', CONVOLVE, String(kernelSize), String(leastStride)];
    const { stdout, signal, status } = spawnSync(process.execPath, args, {
      encoding: 'utf8',
      env: { ...process.env, ...CHECKED, ...limit },
    });
    expect({ signal, status, last: stdout.split('\n').at(-1) }).toEqual({ signal: null, status: 0, last: 'done' });
  });
});
