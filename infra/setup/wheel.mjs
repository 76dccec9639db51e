import { createHash } from 'node:crypto';
import {
  createReadStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { CommandError, run } from './command.mjs';
import { SetupError } from './setup-error.mjs';

/** Wheels are zip archives on the Python package index; pip fetches them by name, version and SHA-256. */

const POLL_MS = 300;

/**
 * @typedef {object} WheelRequest
 * @property {string} requirement One pinned requirement and its hashes, as a requirements file has it.
 * @property {readonly string[]} platforms Platform tags of wheels that run on this machine.
 * @property {string} folder Where wheels lie until they are unpacked.
 * @property {NodeJS.ProcessEnv} env
 * @property {(megabytes: number) => void} progress Told how much of it has come.
 * @property {(pid: number) => void} onStart
 */

/**
 * The wheel's path. One that an earlier set-up left there whole is taken; one that is not what its hash says is
 * fetched again.
 * @param {WheelRequest} request
 * @throws {SetupError}
 */
export async function fetchWheel(request) {
  const { requirement, folder } = request;
  mkdirSync(folder, { recursive: true });
  const pinned = pinnedHashes(requirement);
  const there = await findWheel(folder, pinned);
  if (there) return there;
  await download(request);
  const fetched = await findWheel(folder, pinned);
  if (!fetched) throw new SetupError('pip brought another file than the pinned wheel');
  return fetched;
}

/** @param {WheelRequest} request */
async function download({ requirement, platforms, folder, env, progress, onStart }) {
  // pip downloads into the temporary folder, then moves: there it can be watched, and on the same disk.
  const temporary = join(folder, 'pip');
  rmSync(temporary, { recursive: true, force: true });
  mkdirSync(temporary);
  const requirements = join(temporary, 'requirements.txt');
  writeFileSync(requirements, requirement);
  const watch = setInterval(() => progress(megabytesIn(temporary)), POLL_MS);
  const args = ['-m', 'pip', 'download', '--require-hashes', '-r', requirements, '--dest', folder];
  // Whatever Python runs pip: the wheel is that of CPython 3.11, of which only shared libraries are used.
  const choice = ['--no-deps', '--only-binary', ':all:', '--python-version', '311'];
  const machine = platforms.flatMap((platform) => ['--platform', platform]);
  const manners = ['--quiet', '--no-input', '--progress-bar', 'off', '--disable-pip-version-check', '--retries', '1'];
  try {
    await run('python3', [...args, ...choice, ...machine, ...manners], { env: { ...env, TMPDIR: temporary }, onStart });
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    throw new SetupError(reason(error), error.output);
  } finally {
    clearInterval(watch);
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** @param {CommandError} error pip's. */
function reason({ message, output }) {
  if (/No module named pip/.test(output)) return 'python3 has no pip (Debian, Ubuntu: install python3-pip)';
  if (/DO NOT MATCH THE HASHES/.test(output))
    return 'the wheel that was offered is not the pinned one (its SHA-256 differs)';
  if (
    /NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|ProxyError|ConnectionRe|SSLError/.test(output)
  ) {
    return 'no network, or the Python package index does not answer';
  }
  if (/No space left/.test(output)) return 'the disk is full';
  const lastError = output.split('\n').findLast((line) => line.startsWith('ERROR: '));
  return `pip failed: ${lastError?.slice('ERROR: '.length) ?? message}`;
}

/**
 * @param {string} folder
 * @param {readonly string[]} pinned
 */
async function findWheel(folder, pinned) {
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.whl'))) {
    const path = join(folder, name);
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) hash.update(chunk);
    if (pinned.includes(hash.digest('hex'))) return path;
  }
  return undefined;
}

/**
 * The requirements of a file, each with what follows it in continued lines.
 * @param {string} path
 */
export function readRequirements(path) {
  const lines = readFileSync(path, 'utf8')
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll(/\s*\\\n\s*/g, ' ')
    .split('\n');
  return lines.filter((line) => line.trim() !== '');
}

/** @param {string} requirement */
export function pinnedHashes(requirement) {
  return [...requirement.matchAll(/--hash=sha256:([0-9a-f]{64})/g)].map(([, hash = '']) => hash);
}

/** @param {string} folder */
function megabytesIn(folder) {
  const bytes = readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((path) => existsSync(path)) // pip deletes as it goes.
    .reduce((sum, path) => sum + statSync(path).size, 0);
  return Math.round(bytes / 1e6);
}
