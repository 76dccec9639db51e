import { findExecutable } from '../../packages/core/dist/runtime/find-executable.js';

/** What the native runtime cannot be had without. Each look costs next to nothing, as it is taken at every start. */

/** @param {NodeJS.ProcessEnv} env */
export function lacksPython(env) {
  if (findExecutable('python3', env)) return undefined;
  return 'no python3 on the PATH, whose pip fetches it (Debian, Ubuntu: install python3-pip)';
}

/** @param {NodeJS.ProcessEnv} env */
export function lacksCompiler(env) {
  if (findExecutable('g++', env)) return undefined;
  return 'no g++ on the PATH to compile its binding (Debian, Ubuntu: install g++)';
}

/**
 * The wheels are made for Linux with the GNU C library of this version or later, on two processors.
 * @param {number} major
 * @param {number} minor
 */
export function lacksGlibc(major, minor) {
  const machine = `${process.platform}-${process.arch}`;
  if (machine !== 'linux-x64' && machine !== 'linux-arm64')
    return `it is provided for linux-x64 and linux-arm64, not for ${machine}`;
  Object.assign(process.report, { excludeNetwork: true }); // Or the report looks up names, where Node knows the option.
  const { header } = /** @type {{ header: { glibcVersionRuntime?: string } }} */ (process.report.getReport());
  const [gotMajor = 0, gotMinor = 0] = (header.glibcVersionRuntime ?? '').split('.').map(Number);
  if (gotMajor > major || (gotMajor === major && gotMinor >= minor)) return undefined;
  return `it needs the GNU C library ${major}.${minor} or later, and this system has ${header.glibcVersionRuntime ?? 'another C library'}`;
}
