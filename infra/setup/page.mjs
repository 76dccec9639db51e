import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError, run } from './command.mjs';
import { SetupError } from './setup-error.mjs';

const PAGE = 'apps/dashboard';
/** What the page is made of; of the core it takes the clustering. */
const SOURCES = [join(PAGE, 'src'), 'packages/core/src/evolution'];
const FILES = ['package.json', 'tsconfig.json', 'index.html', 'vite.config.ts'].map((name) => join(PAGE, name));

/**
 * Whether the dashboard's page is that of the sources; as `buildIsCurrent`.
 * @param {string} root
 */
export function pageIsCurrent(root) {
  return (
    existsSync(join(root, PAGE, 'dist', 'index.html')) &&
    existsSync(stampFile(root)) &&
    readFileSync(stampFile(root), 'utf8') === sourcesHash(root)
  );
}

/**
 * Builds the page with Vite. Needs the compiled core.
 * @param {string} root
 * @param {(pid: number) => void} onStart
 * @throws {SetupError} with Vite's messages.
 */
export async function buildPage(root, onStart) {
  const hash = sourcesHash(root); // Before building: what is changed meanwhile must be built again.
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  try {
    await run(process.execPath, [vite, 'build', PAGE, '--logLevel', 'warn'], {
      cwd: root,
      env: { ...process.env, NO_COLOR: '1' },
      onStart,
    });
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new SetupError('the dashboard cannot be built', error.output);
  }
  mkdirSync(join(root, 'node_modules', '.nesgd'), { recursive: true });
  writeFileSync(stampFile(root), hash);
}

/** @param {string} root */
function sourcesHash(root) {
  const hash = createHash('sha256');
  const sources = SOURCES.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => !name.includes('.test.'))
      .map((name) => join(folder, name)),
  );
  for (const file of [...FILES, ...sources.sort()]) {
    const { size, mtimeMs, isDirectory } = describe(join(root, file));
    if (!isDirectory) hash.update(`${file} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

/** @param {string} path */
function describe(path) {
  const stats = statSync(path);
  return { size: stats.size, mtimeMs: stats.mtimeMs, isDirectory: stats.isDirectory() };
}

/** @param {string} root */
function stampFile(root) {
  return join(root, 'node_modules', '.nesgd', 'page.sha256');
}
