import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deletePartialFolders, installFolder } from './folders.mjs';

const MODULE = new URL('./folders.mjs', import.meta.url).href;

describe('installFolder', () => {
  let root: string;
  let target: string;
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'nesgd-test-'));
    target = join(root, 'tensorflow');
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const fill = async (partial: string) => {
    writeFileSync(join(partial, 'lib'), 'whole');
    return ['lib'];
  };

  it('killed midway it leaves nothing under the final name, and the next one completes', async () => {
    const code = `
      import { writeFileSync } from 'node:fs';
      import { installFolder } from ${JSON.stringify(MODULE)};
      await installFolder(${JSON.stringify(root)}, ${JSON.stringify(target)}, async (partial) => {
        writeFileSync(partial + '/lib', 'who');
        console.log('half');
        await new Promise(() => setInterval(() => {}, 1e6));
      });`;
    const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await new Promise((resolve) => child.stdout.once('data', resolve));
    const dead = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await dead;
    expect(existsSync(target)).toBe(false);
    expect(readdirSync(root)).toHaveLength(1);

    deletePartialFolders(root);
    await installFolder(root, target, fill);
    expect(readdirSync(root)).toEqual(['tensorflow']);
    expect(readFileSync(join(target, 'lib'), 'utf8')).toBe('whole');
  });

  it('work that fails leaves nothing', async () => {
    await expect(installFolder(root, target, () => Promise.reject(new Error('disk full')))).rejects.toThrow(
      'disk full',
    );
    expect(readdirSync(root)).toEqual([]);
  });

  it('a damaged folder is replaced, a whole one is left to whoever made it', async () => {
    await installFolder(root, target, fill);
    writeFileSync(join(target, 'lib'), 'cut');
    await installFolder(root, target, fill);
    expect(readFileSync(join(target, 'lib'), 'utf8')).toBe('whole');

    writeFileSync(join(target, 'mark'), '');
    await installFolder(root, target, fill);
    expect(existsSync(join(target, 'mark'))).toBe(true);
  });
});
