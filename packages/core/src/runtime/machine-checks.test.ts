import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { doctor } from './doctor.js';
import { cache, compiler, nodeVersion, python } from './machine-checks.js';

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
