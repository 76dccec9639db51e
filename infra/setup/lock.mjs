import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/**
 * One set-up at a time. The lock is a file that names the processes behind it: the set-up and the tool it runs, as an
 * installer goes on for a while after whoever started it was killed. When none of them lives, the lock is void.
 *
 * It spares work; what is correct does not hang on it, since everything is made under a name of its own and renamed.
 */

const POLL_MS = 200;
/** A process id may belong to somebody else after a reboot; no set-up takes this long. */
const MAX_AGE_MS = 30 * 60_000;

/** @typedef {{ host: string, pids: number[] }} Holder */

/**
 * @template T
 * @param {string} path
 * @param {(alsoHeldBy: (pid: number) => void) => Promise<T>} work `alsoHeldBy` adds a tool's process to the lock.
 * @param {(line: string) => void} say Told once when somebody else holds the lock.
 * @returns {Promise<T>}
 */
export async function withLock(path, work, say) {
  mkdirSync(dirname(path), { recursive: true });
  /** @type {Holder} */
  const me = { host: hostname(), pids: [process.pid] };
  for (let waited = false; !take(path, me); waited = true) {
    const other = heldBy(path);
    if (other && !waited) {
      say(
        `waiting for another set-up (process ${other.pids.join(', ')} on ${other.host}; if it is gone, delete ${path})`,
      );
    }
    if (other) await delay(POLL_MS);
  }
  try {
    return await work((pid) => {
      me.pids.push(pid);
      const update = write(path, me);
      renameSync(update, path);
    });
  } finally {
    rmSync(path, { force: true });
  }
}

/**
 * @param {string} path
 * @param {Holder} me
 */
function take(path, me) {
  const mine = write(path, me);
  try {
    linkSync(mine, path); // Unlike creating a file and writing into it: there is never a lock without a holder.
    return true;
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
    return false;
  } finally {
    rmSync(mine, { force: true });
  }
}

/**
 * Who holds the lock; a void one is put away.
 * @param {string} path
 * @returns {Holder | undefined}
 */
function heldBy(path) {
  try {
    const age = Date.now() - statSync(path).mtimeMs;
    const holder = parse(readFileSync(path, 'utf8'));
    if (holder && age < MAX_AGE_MS && (holder.host !== hostname() || holder.pids.some(isAlive))) return holder;
    const away = `${path}.void-${process.pid}`;
    renameSync(path, away);
    rmSync(away, { force: true });
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error; // Let go of this moment.
  }
  return undefined;
}

/**
 * @param {string} text
 * @returns {Holder | undefined} undefined where a power cut left half a file.
 */
function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * @param {string} path
 * @param {Holder} holder
 * @returns {string} a file beside the lock with its content.
 */
function write(path, holder) {
  const file = `${path}.of-${process.pid}`;
  writeFileSync(file, JSON.stringify(holder));
  return file;
}

/** @param {number} pid */
function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errorCode(error) === 'EPERM';
  }
}

/** @param {unknown} error */
function errorCode(error) {
  return /** @type {NodeJS.ErrnoException} */ (error).code;
}
