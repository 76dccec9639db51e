import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError, run } from './command.mjs';
import { SetupError } from './setup-error.mjs';

/** What a run needs compiled; tests are compiled by `npm run check` alone. */
const PROJECTS = ['packages/core', 'apps/worker', 'apps/coordinator'];

/**
 * Whether the compiled files are those of the sources: names, sizes and times are compared, as `tsc -b` takes seconds
 * to find out the same.
 * @param {string} root
 */
export function buildIsCurrent(root) {
  return (
    PROJECTS.every((project) => existsSync(join(root, project, 'dist', '.tsbuildinfo'))) &&
    existsSync(stampFile(root)) &&
    readFileSync(stampFile(root), 'utf8') === sourcesHash(root)
  );
}

/**
 * @param {string} root
 * @param {(pid: number) => void} onStart
 * @throws {SetupError} with the compiler's messages.
 */
export async function build(root, onStart) {
  const hash = sourcesHash(root); // Before compiling: what is changed meanwhile must be compiled again.
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  try {
    await run(process.execPath, [tsc, '-b', '--pretty', 'false', ...PROJECTS], { cwd: root, onStart });
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new SetupError('the sources do not compile', error.output);
  }
  mkdirSync(join(root, 'node_modules', '.nesgd'), { recursive: true });
  writeFileSync(stampFile(root), hash);
}

/** @param {string} root */
function sourcesHash(root) {
  const hash = createHash('sha256');
  const files = PROJECTS.flatMap((project) => [
    join(project, 'tsconfig.json'),
    join(project, 'package.json'),
    ...readdirSync(join(root, project, 'src'), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts'))
      .map((name) => join(project, 'src', name)),
  ]);
  for (const file of ['tsconfig.base.json', ...files.sort()]) {
    const { size, mtimeMs } = statSync(join(root, file));
    hash.update(`${file} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

/** @param {string} root */
function stampFile(root) {
  return join(root, 'node_modules', '.nesgd', 'build.sha256');
}
