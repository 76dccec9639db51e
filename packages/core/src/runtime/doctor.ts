import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { placeEnvironment, visibleCards } from '../machine/index.js';
import { defaultCacheRoot } from '../storage/index.js';
import { describeTrial, faultOf, runTrial } from '../trainer/card-trial.js';
import type { Check, Finding } from './check.js';
import { findBrokerBinary } from './find-broker.js';
import { cache, compiler, gpu, nodeVersion, processor, python } from './machine-checks.js';
import { findTensorflow, probeBinding } from './tensorflow.js';

/** Looks at everything that nesgd can use on this machine. Loads TensorFlow (in a process of its own), changes nothing. */
export async function doctor(env: NodeJS.ProcessEnv): Promise<Check[]> {
  const cacheRoot = defaultCacheRoot(env);
  return Promise.all([
    check('node', 'runs everything', () => nodeVersion(process.versions.node)),
    check('npm packages', 'everything but the native runtime', npmPackages),
    check(
      'python3 with pip',
      'fetches TensorFlow and Valkey from their wheels during set-up; not needed afterwards',
      () => python(env),
    ),
    check('C++ compiler', 'compiles the binding to TensorFlow during set-up; not needed afterwards', () =>
      compiler(env),
    ),
    check(
      'TensorFlow',
      'engine tensorflow: trains several times faster than engine wasm, on as many threads as asked',
      () => tensorflow(cacheRoot),
    ),
    check('GPU', 'runs compute on it, with "--device gpu" or "auto" (docs/gpu.md)', () => cardsOnTrial(cacheRoot, env)),
    check(
      'broker',
      'the job queue: workers on this machine and elsewhere, replaced when they die; without it, evaluation is local',
      () => broker(cacheRoot, env),
    ),
    check('sharp', 'decodes image folders and archives of images', sharp),
    check('cache folder', 'keeps data sets, weights and the native runtime', () => cache(cacheRoot)),
    check(
      'processor',
      'trains: many workers of one thread do more than few of many; a run starts fewer where its network needs more memory',
      processor,
    ),
  ]);
}

async function check(name: string, brings: string, look: () => Finding | Promise<Finding>): Promise<Check> {
  try {
    return { name, ...(await look()), brings };
  } catch (error) {
    const missing = error instanceof Error ? error.message : String(error);
    return { name, ok: false, found: 'nothing that works', missing, brings };
  }
}

function npmPackages(): Finding {
  const require = createRequire(import.meta.url);
  const { dependencies } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  const names = Object.keys(dependencies);
  // Not every package lets its package.json be resolved, so the folders are looked for.
  const paths = require.resolve.paths('any') ?? [];
  const absent = names.filter((name) => !paths.some((path) => existsSync(join(path, name, 'package.json'))));
  return absent.length === 0
    ? { ok: true, found: `the ${names.length} that training needs` }
    : {
        ok: false,
        found: `${names.length - absent.length} of ${names.length}`,
        missing: `${absent.join(', ')}: "npm start" installs them`,
      };
}

async function tensorflow(cacheRoot: string): Promise<Finding> {
  const search = findTensorflow(cacheRoot);
  if (!search.usable) return { ok: false, found: 'not usable', missing: search.reason };
  const cards = search.build === 'cuda' ? ', for NVIDIA cards and the processor' : '';
  return { ok: true, found: `TensorFlow ${await probeBinding(search.binding)}, loads${cards}` };
}

/** Cards that are there and that TensorFlow finds have to train, too. */
async function cardsOnTrial(cacheRoot: string, env: NodeJS.ProcessEnv): Promise<Finding> {
  const finding = await gpu(env, findTensorflow(cacheRoot));
  if (!finding.ok) return finding;
  const processor = await runTrial('cpu', env);
  const found: string[] = [];
  for (const card of visibleCards(env).cards) {
    const trial = await runTrial('gpu', { ...env, ...placeEnvironment({ card }) });
    const fault = faultOf(trial, processor);
    const memory = card.memoryMb ? `, ${card.memoryMb} MiB` : '';
    if (fault) return { ok: false, found: finding.found, missing: `${card.name} (${card.uuid}): ${fault}` };
    found.push(`${card.name}${memory}: ${describeTrial(trial, processor)}`);
  }
  return { ok: true, found: found.join('; ') };
}

function broker(cacheRoot: string, env: NodeJS.ProcessEnv): Finding {
  if (env.REDIS_URL) return { ok: true, found: 'the one that REDIS_URL names' };
  const binary = findBrokerBinary(cacheRoot, env);
  if (binary) return { ok: true, found: binary };
  return {
    ok: false,
    found: 'none',
    missing: 'REDIS_URL, or redis-server or valkey-server on the PATH; or "npm run setup", which brings Valkey',
  };
}

async function sharp(): Promise<Finding> {
  const require = createRequire(import.meta.url);
  const { stdout } = await promisify(execFile)(process.execPath, [
    '-e',
    'process.stdout.write(require(process.argv[1]).versions.sharp)',
    require.resolve('sharp'),
  ]);
  return { ok: true, found: stdout };
}
