import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { doctor } from './doctor.js';
import { cache, compiler, gpu, nodeVersion, python } from './machine-checks.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'nesgd-test-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const program = (name: string, body: string) =>
  writeFileSync(join(folder, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });

describe('doctor', () => {
  it.each([
    ['20.10.0', false],
    ['20.11.0', true],
    ['22.1.0', true],
    ['18.20.0', false],
  ])('node %s: ok is %s', (version, ok) => {
    expect(nodeVersion(version).ok).toBe(ok);
  });

  it('python3 without pip is told from no python3', async () => {
    expect(await python({ PATH: folder })).toMatchObject({ ok: false, found: 'no python3' });
    program('python3', 'if [ "$1" = --version ]; then echo Python 3.11.2; else exit 1; fi');
    expect(await python({ PATH: folder })).toMatchObject({ ok: false, found: 'Python 3.11.2 without pip' });
    program('python3', 'if [ "$1" = --version ]; then echo Python 3.11.2; else echo pip 23.0 from /usr; fi');
    expect(await python({ PATH: folder })).toEqual({ ok: true, found: 'Python 3.11.2, pip 23.0' });
  });

  it('a missing compiler is named with how to get it', async () => {
    expect(await compiler({ PATH: folder })).toEqual({
      ok: false,
      found: 'no g++',
      missing: expect.stringContaining('Debian'),
    });
  });

  describe('GPU', () => {
    const card = '0, GPU-8932f937, NVIDIA H100 80GB HBM3, 81559';
    /** A binding that finds, or does not find, a card, as TensorFlow's does: it says why on standard error. */
    const linked = (build: 'cpu' | 'cuda', usesCard: boolean) => {
      const words = 'E0000 00:00:1795554832.799427 25015 cuda_platform.cc:52] failed call to cuInit: (303)';
      const binding = join(folder, 'binding.cjs');
      writeFileSync(
        binding,
        `module.exports = { isUsingGpuDevice() { ${usesCard ? '' : `console.error('${words}');`} return ${usesCard}; } };`,
      );
      return { usable: true, version: '2.21.0', build, binding } as const;
    };

    it('no driver is told as such, whatever TensorFlow there is', async () => {
      const missing = 'no NVIDIA driver here (nvidia-smi)';
      expect(await gpu({ PATH: folder }, linked('cuda', true))).toEqual({ ok: false, found: 'none', missing });
    });

    it('a card that TensorFlow was not set up for leads to the set-up', async () => {
      program('nvidia-smi', `echo '${card}'`);
      const missing = expect.stringMatching(/TensorFlow for NVIDIA cards: "npm run setup -- --gpu"/);
      expect(await gpu({ PATH: folder }, linked('cpu', true))).toMatchObject({ ok: false, missing });
      expect(await gpu({ PATH: folder }, { usable: false, reason: 'gone' })).toMatchObject({ ok: false, missing });
    });

    it("a card that TensorFlow cannot use is told with TensorFlow's reason", async () => {
      program('nvidia-smi', `echo '${card}'`);
      const found = 'NVIDIA H100 80GB HBM3, 81559 MiB';
      const missing = 'TensorFlow cannot use it: failed call to cuInit: (303)';
      expect(await gpu({ PATH: folder }, linked('cuda', false))).toEqual({ ok: false, found, missing });
      expect(await gpu({ PATH: folder }, linked('cuda', true))).toEqual({ ok: true, found });
    });
  });

  it('a cache folder that does not exist yet is judged by the disk it will be on', async () => {
    expect((await cache(join(folder, 'not', 'yet'))).found).toContain('GiB free');
  });

  it('a broken tool makes its own check fail and no other; every check says what it brings', async () => {
    program('python3', 'exit 3');
    const checks = await doctor({ PATH: folder, NESGD_CACHE: folder });
    expect(checks.find(({ name }) => name.startsWith('python3'))).toMatchObject({ ok: false });
    expect(checks.find(({ name }) => name === 'node')).toMatchObject({ ok: true });
    for (const check of checks) {
      expect(check.brings).not.toBe('');
      expect('missing' in check).toBe(!check.ok);
    }
  });
});
