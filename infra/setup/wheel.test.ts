import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeZip } from './make-zip.js';
import { fetchWheel, pinnedHashes, readRequirements } from './wheel.mjs';

describe('fetchWheel', () => {
  const wheel = makeZip({ 'package/lib': 'content' });
  let folder: string;
  let requirement: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'nesgd-test-'));
    const hash = createHash('sha256').update(wheel).digest('hex');
    requirement = `package==1.0 --hash=sha256:${hash}`;
    mkdirSync(join(folder, 'bin'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  /** A python3 whose pip does this; it notes its arguments. */
  const pip = (body: string) =>
    writeFileSync(
      join(folder, 'bin', 'python3'),
      `#!${process.execPath}
      const { readFileSync, writeFileSync } = require('node:fs');
      const dest = process.argv[process.argv.indexOf('--dest') + 1];
      const asked = readFileSync(process.argv[process.argv.indexOf('-r') + 1]);
      writeFileSync(${JSON.stringify(join(folder, 'called'))}, process.argv.slice(2).join(' ') + ' ' + asked);
      ${body}`,
      { mode: 0o755 },
    );
  const bring = (content: Buffer) =>
    pip(`writeFileSync(dest + '/package-1.0-any.whl', Buffer.from('${content.toString('base64')}', 'base64'));`);
  const complain = (words: string) => pip(`console.error(${JSON.stringify(words)}); process.exit(1);`);
  const downloads = () => join(folder, 'downloads');
  const fetch = () =>
    fetchWheel({
      requirement,
      platforms: ['manylinux_2_27_x86_64', 'manylinux_2_17_x86_64'],
      folder: downloads(),
      env: { ...process.env, PATH: join(folder, 'bin') },
      progress: () => {},
      onStart: () => {},
    });

  it('asks pip for the pinned file, whatever Python runs it', async () => {
    bring(wheel);
    expect(readFileSync(await fetch())).toEqual(wheel);
    const called = readFileSync(join(folder, 'called'), 'utf8');
    const parts = ['--require-hashes', '--no-deps', '--only-binary :all:', '--python-version 311', requirement];
    for (const part of [...parts, '--platform manylinux_2_27_x86_64 --platform manylinux_2_17_x86_64']) {
      expect(called).toContain(part);
    }
    expect(readdirSync(downloads())).toEqual(['package-1.0-any.whl']);
  });

  it('a whole wheel that an earlier set-up left is taken without pip', async () => {
    mkdirSync(downloads());
    writeFileSync(join(downloads(), 'package-1.0-any.whl'), wheel);
    expect(readFileSync(await fetch())).toEqual(wheel);
    expect(existsSync(join(folder, 'called'))).toBe(false);
  });

  it('a wheel that was cut short is fetched again', async () => {
    mkdirSync(downloads());
    writeFileSync(join(downloads(), 'package-1.0-any.whl'), wheel.subarray(0, 50));
    bring(wheel);
    expect(readFileSync(await fetch())).toEqual(wheel);
  });

  it('a file that is not the pinned one is refused, even where pip let it pass', async () => {
    bring(Buffer.concat([wheel, Buffer.from('more')]));
    await expect(fetch()).rejects.toThrow('another file than the pinned wheel');
  });

  it.each([
    [
      'WARNING: Retrying after connection broken by NewConnectionError(...)\nERROR: No matching distribution found',
      /no network/,
    ],
    ['ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.', /SHA-256 differs/],
    ['/usr/bin/python3: No module named pip', /python3 has no pip/],
    ['OSError: [Errno 28] No space left on device', /the disk is full/],
    ['ERROR: something else', /pip failed: something else/],
    ['', /pip failed: python3 ended with code 1/],
  ])('%j is told in one line: %s', async (words, message) => {
    complain(words);
    await expect(fetch()).rejects.toThrow(message);
  });
});

describe('requirements', () => {
  const read = (name: string) =>
    readRequirements(fileURLToPath(new URL(`requirements/${name}.txt`, import.meta.url))).map((requirement) => ({
      requirement,
      hashes: pinnedHashes(requirement),
    }));

  it('valkey is one requirement with a wheel for each processor', () => {
    expect(read('valkey')).toMatchObject([{ hashes: [expect.any(String), expect.any(String)] }]);
  });

  it("TensorFlow is another wheel on each processor, and names that processor's", () => {
    expect(read('tensorflow')).toMatchObject([
      { requirement: expect.stringMatching(/^tensorflow-cpu==2\.21\.0 ; .*x86_64/), hashes: [expect.any(String)] },
      { requirement: expect.stringMatching(/^tensorflow==2\.21\.0 ; .*aarch64/), hashes: [expect.any(String)] },
    ]);
  });

  it("TensorFlow for cards is its wheel and NVIDIA's, all pinned", () => {
    const all = read('tensorflow-cuda');
    expect(all[0]?.requirement).toMatch(/^tensorflow==2\.21\.0 /);
    expect(all.slice(1).map(({ requirement }) => /^nvidia-(\w+(-\w+)?)-cu12==/.exec(requirement)?.[1])).toEqual([
      ...['cublas', 'cuda-nvrtc', 'cuda-runtime', 'cudnn', 'cufft', 'cusolver', 'cusparse', 'nvjitlink'],
    ]);
    for (const { hashes } of all) expect(hashes).toHaveLength(1);
  });
});
