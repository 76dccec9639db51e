import { accessSync, constants, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runtimeLayout } from '../../packages/core/dist/runtime/layout.js';
import { defaultCacheRoot } from '../../packages/core/dist/storage/index.js';
import { deletePartialFolders } from './folders.mjs';
import { withLock } from './lock.mjs';
import { SetupError } from './setup-error.mjs';
import { tensorflow, tensorflowForCards } from './tensorflow.mjs';
import { valkey } from './valkey.mjs';

/**
 * The native runtime, brought into the cache folder. Everything runs without it too, so a piece that cannot be had is
 * told in one line and never stops what follows.
 */

/**
 * @typedef {object} Context
 * @property {string} cacheRoot
 * @property {NodeJS.ProcessEnv} env
 * @property {boolean} explicit Somebody asked for a set-up: `npm run setup`, not the start of something else.
 * @property {string} [root] Where /proc is; a test has its own.
 * @property {import('./steps.mjs').Steps} steps
 * @property {(pid: number) => void} onStart Names a tool's process in the lock.
 */

/**
 * @typedef {object} Component A piece of the runtime.
 * @property {string} name
 * @property {string} without What follows where it is missing: ends the sentence "so ...".
 * @property {(context: Context) => boolean} isThere Quick: asked at every start.
 * @property {(context: Context) => string | undefined} lacks Why it cannot be installed here. Quick as well.
 * @property {(context: Context) => Promise<void>} install Throws a SetupError.
 */

/** An attempt that failed (no network, say) is not repeated at every start, as it costs time: `npm run setup` repeats it. */
const RETRY_AFTER_MS = 10 * 60_000;

/**
 * @param {{ env: NodeJS.ProcessEnv, steps: import('./steps.mjs').Steps, explicit: boolean }} options
 *   `explicit`: somebody asked for it, so whatever failed lately is tried again.
 * @returns {Promise<boolean>} whether all of it is there.
 */
export async function ensureRuntime({ env, steps, explicit }, components = [tensorflowForCards, tensorflow, valkey]) {
  const cacheRoot = defaultCacheRoot(env);
  const { root } = runtimeLayout(cacheRoot);
  /** @type {Context} */
  const context = { cacheRoot, env, explicit, steps, onStart: () => {} };
  let complete = true;
  for (const component of components) {
    if (component.isThere(context)) continue; // Asked one by one: what one brings may spare the next.
    const failure = join(root, `failed-${component.name.replace(/\W+/g, '-')}.txt`);
    const reason =
      component.lacks(context) ??
      lacksFolder(root) ??
      (explicit ? undefined : recentFailure(failure)) ??
      (await withLock(
        join(root, 'set-up.lock'),
        (onStart) => install(component, { ...context, onStart }, failure),
        steps.say,
      ));
    if (reason === undefined) continue;
    complete = false;
    steps.say(`without ${component.name}: ${reason}; so ${component.without}`);
  }
  return complete;
}

/**
 * @param {Component} component
 * @param {Context} context
 * @param {string} failure file that remembers why it failed.
 * @returns {Promise<string | undefined>} why it could not be installed.
 */
async function install(component, context, failure) {
  if (component.isThere(context)) return undefined; // Another set-up brought it while this one waited.
  const { root } = runtimeLayout(context.cacheRoot);
  deletePartialFolders(root);
  try {
    await component.install(context);
    rmSync(failure, { force: true });
    return undefined;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    mkdirSync(root, { recursive: true });
    writeFileSync(failure, error instanceof SetupError ? `${reason}\n\n${error.details}` : `${reason}\n`);
    return `${reason} (all of it in ${failure})`;
  }
}

/** @param {string} root */
function lacksFolder(root) {
  try {
    mkdirSync(root, { recursive: true });
    accessSync(root, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    return `its folder ${root} cannot be written in (${/** @type {Error} */ (error).message}); NESGD_CACHE names another`;
  }
}

/** @param {string} failure */
function recentFailure(failure) {
  if (!existsSync(failure)) return undefined;
  const minutes = (Date.now() - statSync(failure).mtimeMs) / 60_000;
  if (minutes * 60_000 > RETRY_AFTER_MS) return undefined;
  const [reason = ''] = readFileSync(failure, 'utf8').split('\n');
  return `${reason} (${Math.round(minutes)} min ago; "npm run setup" tries again at once)`;
}
