import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { computedOn, processorKind } from './processor.js';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nesgd-processor-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const INTEL = {
  vendor_id: 'GenuineIntel',
  'cpu family': '6',
  model: '143',
  'model name': 'Intel(R) Xeon(R) Platinum 8481C CPU @ 2.70GHz',
  stepping: '8',
  'cpu MHz': '2700.0',
  flags: 'fpu vme avx avx2 fma avx512f avx512_vnni amx_tile',
};
function kindOf(about: Record<string, string>, env: NodeJS.ProcessEnv = {}): string {
  const path = join(folder, 'cpuinfo');
  const lines = Object.entries(about).map(([key, value]) => `${key}\t: ${value}`);
  // The second core's lines are never looked at.
  writeFileSync(path, `${lines.join('\n')}\n\nmodel name\t: another\nflags\t\t: avx512f\n\n`);
  return processorKind(env, path);
}

describe('processorKind', () => {
  it('is the model, its widest vector instructions, and digits for the rest', () => {
    expect(kindOf(INTEL)).toMatch(/^Intel\(R\) Xeon\(R\) Platinum 8481C CPU @ 2\.70GHz, AVX-512 \([0-9a-f]{8}\)$/);
    expect(kindOf({ 'CPU implementer': '0x41', Features: 'fp asimd sve' })).toMatch(/, SVE \([0-9a-f]{8}\)$/);
  });

  it('does not depend on the clock of the moment, the stepping, or the order of the flags', () => {
    const flags = INTEL.flags.split(' ').reverse().join(' ');
    expect(kindOf({ ...INTEL, flags, 'cpu MHz': '800.1', stepping: '7' })).toBe(kindOf(INTEL));
  });

  it.each([
    ['vector instructions', { ...INTEL, flags: INTEL.flags.replace(' avx512_vnni', '') }, {}],
    ['a model of the same name', { ...INTEL, model: '106' }, {}],
    ['a cache of another size', { ...INTEL, 'cache size': '512 KB' }, {}],
    ['what oneDNN is told to leave out', INTEL, { ONEDNN_MAX_CPU_ISA: 'AVX2' }],
  ])('tells apart: %s', (_, about, env) => {
    expect(kindOf(about, env)).not.toBe(kindOf(INTEL));
  });

  it('has a name where there is no /proc/cpuinfo', () => {
    expect(processorKind({}, join(folder, 'none'))).toMatch(/.+ \([0-9a-f]{8}\)$/);
  });
});

it('computedOn: WebAssembly is the same everywhere, TensorFlow on a processor is of its kind', () => {
  expect(computedOn({ engine: 'wasm' })).toBeUndefined();
  expect(computedOn({ engine: 'tensorflow' })).toBe(processorKind());
});
