import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildPage, pageIsCurrent } from './page.mjs';
import { SetupError } from './setup-error.mjs';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'nesgd-test-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const write = (path: string, content = '') => {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
};

/** A Vite that leaves what `vite build` leaves, or complains. */
function checkout(
  vite = `require('fs').mkdirSync('apps/dashboard/dist', { recursive: true });
  require('fs').writeFileSync('apps/dashboard/dist/index.html', '');`,
): void {
  for (const file of ['package.json', 'tsconfig.json', 'index.html', 'vite.config.ts']) write(`apps/dashboard/${file}`);
  write('apps/dashboard/src/views/overview.tsx', 'one');
  write('packages/core/src/evolution/linkage.ts', 'one');
  write('node_modules/vite/bin/vite.js', vite);
}

describe('the dashboard’s page', () => {
  it('is current once it is built, and not before', async () => {
    checkout();
    expect(pageIsCurrent(root)).toBe(false);
    await buildPage(root, () => {});
    expect(pageIsCurrent(root)).toBe(true);
  });

  it.each([
    ['apps/dashboard/src/views/overview.tsx', 'apps/dashboard/src/views/overview.tsx'],
    ['a new view', 'apps/dashboard/src/views/other.tsx'],
    ['the clustering it takes from the core', 'packages/core/src/evolution/linkage.ts'],
    ['index.html', 'apps/dashboard/index.html'],
  ])('is to be built again after a change of %s', async (_, path) => {
    checkout();
    await buildPage(root, () => {});
    write(path, 'another');
    expect(pageIsCurrent(root)).toBe(false);
  });

  it('is to be built again when it was deleted, and not for a changed test', async () => {
    checkout();
    await buildPage(root, () => {});
    write('apps/dashboard/src/model/curves.test.ts', 'two');
    expect(pageIsCurrent(root)).toBe(true);
    rmSync(join(root, 'apps/dashboard/dist'), { recursive: true });
    expect(pageIsCurrent(root)).toBe(false);
  });

  it('that cannot be built says what Vite said, and stays to be built', async () => {
    checkout('console.error("no such import"); process.exit(1)');
    await expect(buildPage(root, () => {})).rejects.toMatchObject({
      constructor: SetupError,
      details: expect.stringContaining('no such import'),
    });
    expect(existsSync(join(root, 'apps/dashboard/dist'))).toBe(false);
    expect(pageIsCurrent(root)).toBe(false);
  });

  it('a source changed while it is built is built again', async () => {
    checkout(`require('fs').mkdirSync('apps/dashboard/dist', { recursive: true });
      require('fs').writeFileSync('apps/dashboard/dist/index.html', '');
      require('fs').writeFileSync('apps/dashboard/src/views/overview.tsx', 'changed meanwhile');`);
    const then = new Date(Date.now() - 60_000);
    utimesSync(join(root, 'apps/dashboard/src/views/overview.tsx'), then, then);
    await buildPage(root, () => {});
    expect(pageIsCurrent(root)).toBe(false);
  });
});
