import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeZip } from './make-zip.js';
import { unzip } from './unzip.mjs';

describe('unzip', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'nesgd-test-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const archive = (content: Buffer) => {
    writeFileSync(join(folder, 'a.whl'), content);
    return join(folder, 'a.whl');
  };
  const long = 'weights '.repeat(400_000);

  it('unpacks stored, deflated and empty entries to where they are wanted, with their permissions', async () => {
    const path = archive(
      makeZip({ 'lib/a.so': long, 'lib/b.txt': 'kept', 'lib/empty': '', other: 'no' }, ['lib/b.txt']),
    );
    const place = (name: string) => (name.startsWith('lib/') ? name.replace('lib/', 'deep/er/') : undefined);
    expect(await unzip(path, join(folder, 'out'), place)).toEqual(['deep/er/a.so', 'deep/er/b.txt', 'deep/er/empty']);
    const out = join(folder, 'out/deep/er');
    expect(readdirSync(out).sort()).toEqual(['a.so', 'b.txt', 'empty']);
    expect(readFileSync(join(out, 'a.so'), 'utf8')).toBe(long);
    expect(readFileSync(join(out, 'b.txt'), 'utf8')).toBe('kept');
    expect(statSync(join(out, 'a.so')).mode & 0o700).toBe(0o700);
  });

  it('an archive that is cut short is refused', async () => {
    const whole = makeZip({ a: long });
    const path = archive(whole.subarray(0, whole.length / 2));
    await expect(unzip(path, folder, (name) => name)).rejects.toThrow('not a zip archive, or cut short');
  });

  it('a damaged entry is refused', async () => {
    const whole = makeZip({ a: long });
    whole.fill(0xff, 40, 200);
    await expect(unzip(archive(whole), folder, (name) => name)).rejects.toThrow();
  });
});
