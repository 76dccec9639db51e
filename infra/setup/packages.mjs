import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CommandError, run } from './command.mjs';
import { SetupError } from './setup-error.mjs';

/**
 * Whether node_modules is what package-lock.json asks for. npm writes `.package-lock.json` last, so an installation
 * that was killed midway lacks it.
 * @param {string} root
 */
export function packagesAreCurrent(root) {
  const installed = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installed) || !existsSync(compiler(root))) return false;
  if (existsSync(stampFile(root))) return readFileSync(stampFile(root), 'utf8') === lockHash(root);
  // Installed by somebody who called npm themselves: right, unless the lock file has changed since.
  return statSync(installed).mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs;
}

/**
 * `npm ci` without install scripts: one of them would download a native TensorFlow from a place that is not a package
 * registry, and fail where that is out of reach.
 * @param {string} root
 * @param {(pid: number) => void} onStart
 * @throws {SetupError}
 */
export async function installPackages(root, onStart) {
  const args = ['ci', '--ignore-scripts', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  // npm's own patience, a minute and a half, is too much where there is no network.
  args.push('--fetch-retry-maxtimeout=10000');
  // The npm that runs this script, where one does: its name is not on every PATH, and on Windows it is no program.
  const npm = process.env.npm_execpath;
  const [command, all] = npm?.endsWith('.js') ? [process.execPath, [npm, ...args]] : ['npm', args];
  try {
    await run(command, all, { cwd: root, onStart });
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new SetupError(`the npm packages could not be installed: ${reason(error)}`, error.output);
  }
  mkdirSync(join(root, 'node_modules', '.nesgd'), { recursive: true });
  writeFileSync(stampFile(root), lockHash(root));
}

/** @param {CommandError} error */
function reason(error) {
  if (/\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH)\b/.test(error.output)) {
    return 'no network, or the npm registry does not answer';
  }
  if (/\bENOSPC\b/.test(error.output)) return 'the disk is full';
  return error.message;
}

/** @param {string} root */
function lockHash(root) {
  return createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
}

/** @param {string} root */
function stampFile(root) {
  return join(root, 'node_modules', '.nesgd', 'package-lock.sha256');
}

/** @param {string} root */
function compiler(root) {
  return join(root, 'node_modules', 'typescript', 'bin', 'tsc');
}
