import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { processorHasBfloat16 } from './bfloat16.js';

it.each([
  ['flags\t\t: fpu avx512f avx512_bf16 avx512vbmi', true],
  ['flags\t\t: fpu avx2 amx_bf16 amx_tile', true],
  ['Features\t: fp asimd bf16 i8mm', true],
  ['flags\t\t: fpu avx512f avx512_vnni', false],
  ['model name\t: the bf16 processor\nflags\t\t: fpu', false],
])('bfloat16: %j is %s', (cpuinfo, has) => {
  const folder = mkdtempSync(join(tmpdir(), 'nesgd-test-'));
  try {
    writeFileSync(join(folder, 'cpuinfo'), cpuinfo);
    expect(processorHasBfloat16(join(folder, 'cpuinfo'))).toBe(has);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it('bfloat16: where there is no /proc/cpuinfo, it is not had', () => {
  expect(processorHasBfloat16('/nowhere/cpuinfo')).toBe(false);
});
