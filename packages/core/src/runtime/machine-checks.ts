import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { access, constants, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { processorHasBfloat16, visibleCards } from '../machine/index.js';
import { recommendedWorkers } from '../trainer/recommended-workers.js';
import type { Finding } from './check.js';
import { findExecutable } from './find-executable.js';
import { probeCard, type TensorflowSearch } from './tensorflow.js';

/** What `doctor` looks for outside this repository: the machine and what is installed on it. */

const MIN_NODE: readonly [major: number, minor: number] = [20, 11];
const GIB = 2 ** 30;
/** The wheel, the unpacked libraries and pip's own copy of the wheel, while TensorFlow is set up. */
const SET_UP_SPACE_BYTES = 1.6 * GIB;

export function nodeVersion(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const ok = major > MIN_NODE[0] || (major === MIN_NODE[0] && minor >= MIN_NODE[1]);
  return { ok, found: version, ...(!ok && { missing: `Node ${MIN_NODE.join('.')} or later` }) };
}

export async function python(env: NodeJS.ProcessEnv): Promise<Finding> {
  const path = findExecutable('python3', env);
  if (!path) return { ok: false, found: 'no python3', missing: 'python3 on the PATH, with pip' };
  const version = await firstLine(path, ['--version'], env);
  const pip = await firstLine(path, ['-m', 'pip', '--version'], env).catch(() => undefined);
  if (!pip)
    return { ok: false, found: `${version} without pip`, missing: 'pip for python3 (Debian and Ubuntu: python3-pip)' };
  return { ok: true, found: `${version}, ${pip.replace(/ from .*/, '')}` };
}

export async function compiler(env: NodeJS.ProcessEnv): Promise<Finding> {
  const path = findExecutable('g++', env);
  if (!path) return { ok: false, found: 'no g++', missing: 'g++ 9 or later on the PATH (Debian and Ubuntu: g++)' };
  return { ok: true, found: await firstLine(path, ['--version'], env) };
}

/** Cards that may be used, and whether TensorFlow can. @param tensorflow what is linked; its cards are looked at by loading it. */
export async function gpu(env: NodeJS.ProcessEnv, tensorflow: TensorflowSearch): Promise<Finding> {
  const { cards, reason } = visibleCards(env);
  if (cards.length === 0) return { ok: false, found: 'none', missing: reason ?? 'no card' };
  const found = cards.map(({ name, memoryMb }) => (memoryMb ? `${name}, ${memoryMb} MiB` : name)).join('; ');
  if (!tensorflow.usable || tensorflow.build === 'cpu') {
    const missing =
      'TensorFlow for NVIDIA cards: "npm run setup -- --gpu" gets it (2.9 GB to fetch, 8 GiB of disk meanwhile)';
    return { ok: false, found, missing };
  }
  const fault = await probeCard(tensorflow.binding, env);
  return fault === undefined
    ? { ok: true, found }
    : { ok: false, found, missing: `TensorFlow cannot use it: ${fault}` };
}

export async function cache(cacheRoot: string): Promise<Finding> {
  const existing = nearestExisting(cacheRoot);
  await access(existing, constants.W_OK);
  const { bavail, bsize } = await statfs(existing);
  const free = bavail * bsize;
  const found = `${cacheRoot}, ${(free / GIB).toFixed(1)} GiB free`;
  if (free >= SET_UP_SPACE_BYTES) return { ok: true, found };
  return {
    ok: false,
    found,
    missing: `${(SET_UP_SPACE_BYTES / GIB).toFixed(1)} GiB of free space for setting TensorFlow up; NESGD_CACHE names another folder`,
  };
}

export function processor(): Finding {
  const { workers, reason } = recommendedWorkers({ threads: 1 });
  const precision = processorHasBfloat16() ? '; has bfloat16' : '';
  return { ok: true, found: `best split: ${workers} ${workers === 1 ? 'worker' : 'workers'} (${reason})${precision}` };
}

async function firstLine(path: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<string> {
  const { stdout } = await promisify(execFile)(path, args, { env, timeout: 20_000 });
  return stdout.split('\n')[0]?.trim() ?? '';
}

/** The cache folder is made when it is first needed; until then its disk is that of the folder it will be in. */
function nearestExisting(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearestExisting(dirname(path));
}
