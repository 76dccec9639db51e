import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, buildIsCurrent } from './build.mjs';
import { withLock } from './lock.mjs';
import { installPackages, packagesAreCurrent } from './packages.mjs';
import { buildPage, pageIsCurrent } from './page.mjs';
import { SetupError } from './setup-error.mjs';
import { createSteps } from './steps.mjs';

/** The repository's root folder. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Installs what is missing of npm packages, compiled sources and native runtime, in this order. When all is there it
 * looks at file times and does nothing. Ends the process with exit code 1 where the packages or the build fail, as
 * nothing runs without them.
 * @param {{ explicit?: boolean }} [options] `explicit`: what failed lately is tried again.
 * @returns {Promise<boolean>} whether all of the native runtime is there.
 */
export async function ensureSetUp({ explicit = false } = {}) {
  const steps = createSteps(process.stderr);
  // NESGD_CACHE may stand in .env, which the commands read.
  const dotenv = join(ROOT, '.env');
  if (existsSync(dotenv)) process.loadEnvFile?.(dotenv);
  try {
    if (!packagesAreCurrent(ROOT) || !buildIsCurrent(ROOT) || !pageIsCurrent(ROOT)) {
      await withLock(checkoutLock(), (onStart) => ensureCheckout(steps, onStart), steps.say);
    }
    // Only now: it is made of what has just been built.
    const { ensureRuntime } = await import('./runtime.mjs');
    return await ensureRuntime({ env: process.env, steps, explicit });
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    if (error.details) process.stderr.write(`${error.details.trimEnd()}\n`);
    steps.say(error.message);
    process.exit(1);
  }
}

/**
 * @param {import('./steps.mjs').Steps} steps
 * @param {(pid: number) => void} onStart
 */
async function ensureCheckout(steps, onStart) {
  if (!packagesAreCurrent(ROOT)) await steps.step('npm packages', () => installPackages(ROOT, onStart));
  if (!buildIsCurrent(ROOT)) await steps.step('build', () => build(ROOT, onStart));
  if (!pageIsCurrent(ROOT)) await steps.step('dashboard', () => buildPage(ROOT, onStart));
}

/** Not in node_modules, which `npm ci` deletes. */
function checkoutLock() {
  const hash = createHash('sha256').update(ROOT).digest('hex').slice(0, 16);
  return join(tmpdir(), `nesgd-set-up-${userInfo().uid}-${hash}.lock`);
}
