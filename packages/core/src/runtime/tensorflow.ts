import { execFile } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { TENSORFLOW_VERSION } from '../edition.js';
import { isComplete } from './complete.js';
import { NODE_API_VERSION, runtimeLayout, type TensorflowBuild } from './layout.js';

/** Found, or a reason for people that ends the sentence "engine tensorflow cannot be used: ...". */
export type TensorflowSearch =
  | {
      readonly usable: true;
      readonly version: string;
      /** `own`: somebody built it there themselves. */
      readonly build: TensorflowBuild | 'own';
      readonly binding: string;
    }
  | { readonly usable: false; readonly reason: string };

const SET_UP = '"npm run setup" gets it';
const BUILDS = ['cuda', 'cpu'] as const satisfies readonly TensorflowBuild[];

/**
 * Where the TensorFlow that `@tensorflow/tfjs-node-gpu` would load is, without loading it.
 *
 * The package looks for its binding at one path inside itself. Ours is a link from there into the cache folder; a
 * binding that somebody built there with their own TensorFlow is taken as it is (`version` is then `unknown`).
 */
export function findTensorflow(cacheRoot: string): TensorflowSearch {
  return findTensorflowAt(bindingPlace(), cacheRoot);
}

/** @param place where the package looks for its binding; undefined where the package itself is missing. */
export function findTensorflowAt(place: string | undefined, cacheRoot: string): TensorflowSearch {
  if (!place)
    return { usable: false, reason: 'the npm package @tensorflow/tfjs-node-gpu is missing: "npm start" installs it' };

  const { root, tensorflow } = runtimeLayout(cacheRoot);
  if (existsSync(place)) {
    const real = realpathSync(place);
    // In this cache folder or another one: the name tells all that is in it.
    const build = BUILDS.find((name) => basename(dirname(real)) === basename(tensorflow[name].binding));
    if (build) {
      const folder = join(dirname(dirname(real)), basename(tensorflow[build].folder));
      if (!isComplete(folder))
        return { usable: false, reason: `TensorFlow ${TENSORFLOW_VERSION} is damaged in ${folder}: ${SET_UP} again` };
      return { usable: true, version: TENSORFLOW_VERSION, build, binding: real };
    }
    // Ours as well, but linked by another edition of this software.
    const editions = realpathIfAny(root);
    if (editions && real.startsWith(join(editions, 'binding-')))
      return { usable: false, reason: `the binding to TensorFlow is of another edition of nesgd: ${SET_UP} anew` };
    return { usable: true, version: 'unknown', build: 'own', binding: real };
  }
  const whole = BUILDS.filter((name) => isComplete(tensorflow[name].folder));
  if (whole.length === 0)
    return { usable: false, reason: `TensorFlow ${TENSORFLOW_VERSION} is not in the cache folder: ${SET_UP}` };
  if (!whole.some((name) => isComplete(tensorflow[name].binding)))
    return { usable: false, reason: `the binding to TensorFlow ${TENSORFLOW_VERSION} is not built: ${SET_UP}` };
  return { usable: false, reason: `the binding is built, but not linked to ${place}: ${SET_UP}` };
}

/** The path at which @tensorflow/tfjs-node-gpu looks for its binding; undefined without the package. */
export function bindingPlace(): string | undefined {
  const folder = tfjsNodeFolder();
  return folder && join(folder, 'lib', `napi-v${NODE_API_VERSION}`, 'tfjs_binding.node');
}

/** Where the npm package @tensorflow/tfjs-node-gpu is installed; undefined where it is not. */
export function tfjsNodeFolder(): string | undefined {
  try {
    return dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-node-gpu/package.json'));
  } catch {
    return undefined;
  }
}

const PROBE = 'process.stdout.write(require(process.argv[1]).TF_Version)';
const CARD_PROBE = 'process.stdout.write(String(require(process.argv[1]).isUsingGpuDevice()))';
/** Loading reads 850 MB where the disk is cold. */
const PROBE_TIMEOUT_MS = 120_000;

/**
 * Loads a binding in a process of its own, as a library that does not fit the machine ends the process that loads it.
 * @returns the version that TensorFlow says it has.
 * @throws Error with the loader's last line, or the signal that ended it.
 */
export async function probeBinding(path: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', PROBE, path], {
      env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '3' },
      timeout: PROBE_TIMEOUT_MS,
    });
    return stdout.trim();
  } catch (cause) {
    const { signal, stderr } = cause as { signal?: string | null; stderr?: string };
    const loaderError = stderr?.split('\n').find((line) => /^Error: /.test(line));
    const how = signal
      ? `ended by ${signal} (SIGILL: this processor lacks an instruction it needs)`
      : (loaderError ?? String(cause));
    throw new Error(`loading ${path} failed: ${how.replace(/^Error: /, '')}`, { cause });
  }
}

/**
 * Whether TensorFlow finds a card that it can use, looked for in a process of its own.
 * @returns undefined where it does; else why not, in its own words.
 * @throws Error where it does not load.
 */
export async function probeCard(binding: string, env: NodeJS.ProcessEnv): Promise<string | undefined> {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['-e', CARD_PROBE, binding], {
    env: { ...env, TF_CPP_MIN_LOG_LEVEL: '0' },
    timeout: PROBE_TIMEOUT_MS,
  });
  if (stdout.trim() === 'true') return undefined;
  // `E0000 00:00:1795554832.800013 25015 cuda_platform.cc:52] failed call to cuInit: ...`
  const words = stderr.split('\n').findLast((line) => /^[EW]\d{4} /.test(line) || /: [EW] \w+\//.test(line));
  return words?.replace(/^.*?\] /, '') ?? 'TensorFlow finds no card and says nothing of it';
}

function realpathIfAny(path: string): string | undefined {
  return existsSync(path) ? realpathSync(path) : undefined;
}
