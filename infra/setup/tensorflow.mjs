import { lstatSync, mkdirSync, renameSync, rmSync, statfsSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TENSORFLOW_VERSION } from '../../packages/core/dist/edition.js';
import { cardIsPresent } from '../../packages/core/dist/machine/index.js';
import { isComplete } from '../../packages/core/dist/runtime/complete.js';
import { BINDING_VERSION, NODE_API_VERSION, runtimeLayout } from '../../packages/core/dist/runtime/layout.js';
import {
  bindingPlace,
  findTensorflow,
  probeBinding,
  tfjsNodeFolder,
} from '../../packages/core/dist/runtime/tensorflow.js';
import { CommandError, run } from './command.mjs';
import { installFolder } from './folders.mjs';
import { lacksCompiler, lacksGlibc, lacksPython } from './prerequisites.mjs';
import { SetupError } from './setup-error.mjs';
import { unzip } from './unzip.mjs';
import { fetchWheel, readRequirements } from './wheel.mjs';

/** What differs between the two TensorFlows. */
const BUILDS = {
  cpu: {
    name: `TensorFlow ${TENSORFLOW_VERSION}`,
    requirements: `tensorflow.txt`,
    downloadMb: 275,
    /** The wheel, the unpacked libraries and pip's own copy of the wheel. */
    neededBytes: 1.6 * 2 ** 30,
  },
  cuda: {
    name: `TensorFlow ${TENSORFLOW_VERSION} for NVIDIA cards`,
    requirements: 'tensorflow-cuda.txt',
    downloadMb: 2909,
    /** All wheels, the unpacked libraries and what pip is at. */
    neededBytes: 8 * 2 ** 30,
  },
};

const LIBRARIES = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];
/** What the binding's sources and ours include, directly or not. */
const HEADERS =
  /^include\/(tensorflow\/c|tensorflow\/core\/(platform|common_runtime\/next_pluggable_device\/c)|tsl\/platform|xla\/tsl\/c)\/[^.]*\.h$/;
const LICENCES = /^(include\/LICENSE|THIRD_PARTY_NOTICES\.txt)$/;
/** NVIDIA's, but for those that other programs would link to: BLAS and FFTW by their old names, several cards at once. */
const NVIDIA_LIBRARIES = /^nvidia\/\w+\/lib\/lib(?!nvblas|cufftw|cusolverMg)\w+(-builtins)?\.so[.\d]*$/;
const NVIDIA_LICENCES = /^(nvidia_\w+)-[^/]+\/(?:licenses\/)?License\.txt$/;

/** @typedef {import('./runtime.mjs').Context} Context */
/** @typedef {import('../../packages/core/dist/runtime/layout.js').TensorflowPlaces} Places */

/** Comes first: with it there, `tensorflow` is not needed. @type {import('./runtime.mjs').Component} */
export const tensorflowForCards = {
  name: BUILDS.cuda.name,
  without: 'trainers compute on the processor',

  isThere(context) {
    const found = findTensorflow(context.cacheRoot);
    // What somebody built themselves is theirs to change.
    return (found.usable && found.build !== 'cpu') || !wantsCards(context);
  },
  lacks(context) {
    if (process.arch !== 'x64') return 'it is provided for linux-x64 alone';
    return lacks('cuda', context);
  },
  install(context) {
    if (context.env.NESGD_DEVICE !== 'gpu') {
      context.steps.say(`here is an NVIDIA card: ${BUILDS.cuda.name} follows (2.9 GB; NESGD_DEVICE=cpu does without)`);
    }
    return install('cuda', context);
  },
};

/** @type {import('./runtime.mjs').Component} */
export const tensorflow = {
  name: BUILDS.cpu.name,
  without: 'engine wasm trains, several times slower',

  isThere: ({ cacheRoot }) => findTensorflow(cacheRoot).usable,
  lacks: (context) => lacks('cpu', context),
  install: (context) => install('cpu', context),
};

/**
 * Asked for, or set up on purpose beside a card. A start brings it not: 2.9 GB are more than somebody waits for who
 * wanted to run something (decision 0276).
 * @param {Context} context
 */
export function wantsCards({ env, explicit, root }) {
  if (env.NESGD_DEVICE !== undefined && env.NESGD_DEVICE !== '') return env.NESGD_DEVICE === 'gpu';
  return explicit && cardIsPresent(root);
}

/**
 * @param {keyof typeof BUILDS} build
 * @param {Context} context
 */
function lacks(build, { cacheRoot, env }) {
  const { root, tensorflow } = runtimeLayout(cacheRoot);
  const { folder, binding } = tensorflow[build];
  const needsLibrary = !isComplete(folder);
  return (
    lacksGlibc(2, 27) ??
    (needsLibrary ? lacksPython(env) : undefined) ??
    (isComplete(binding) ? undefined : lacksCompiler(env)) ??
    (needsLibrary ? lacksSpace(root, BUILDS[build].neededBytes) : undefined)
  );
}

/**
 * @param {keyof typeof BUILDS} build
 * @param {Context} context
 */
async function install(build, context) {
  const { root, tensorflow } = runtimeLayout(context.cacheRoot);
  const places = tensorflow[build];
  if (!isComplete(places.folder)) await installLibrary(build, root, places, context);
  if (!isComplete(places.binding)) await buildBinding(root, places, context);
  linkBinding(join(places.binding, 'tfjs_binding.node'));
}

/**
 * @param {keyof typeof BUILDS} build
 * @param {string} root
 * @param {Places} places
 * @param {Context} context
 */
async function installLibrary(build, root, { folder, libraries }, context) {
  const { steps } = context;
  const { name } = BUILDS[build];
  const wheels = await steps.step(`${name}, download`, (progress) => fetchWheels(build, root, progress, context));
  await steps.step(`${name}, unpack`, () =>
    installFolder(root, folder, async (partial) => {
      const ours = relative(folder, libraries);
      const place = (/** @type {string} */ entry) => {
        const path = entry.replace(/^tensorflow\//, '');
        if (LIBRARIES.includes(path) || HEADERS.test(path) || LICENCES.test(path)) return join(ours, path);
        if (NVIDIA_LIBRARIES.test(entry)) return entry;
        const [, library] = NVIDIA_LICENCES.exec(entry) ?? [];
        return library && join('nvidia', `${library}-LICENSE.txt`);
      };
      const paths = [];
      for (const wheel of wheels) paths.push(...(await unzip(wheel, partial, place)));
      return paths.filter((path) => /\.so[.\d]*$/.test(path));
    }),
  );
  for (const wheel of wheels) rmSync(wheel);
}

/**
 * One after the other: what was fetched whole is kept when a set-up is broken off.
 * @param {keyof typeof BUILDS} build
 * @param {string} root
 * @param {(text: string) => void} progress
 * @param {Context} context
 */
async function fetchWheels(build, root, progress, { env, onStart }) {
  const { requirements, downloadMb } = BUILDS[build];
  const machine = process.arch === 'arm64' ? 'aarch64' : 'x86_64';
  const wanted = readRequirements(fileURLToPath(new URL(`requirements/${requirements}`, import.meta.url))).filter(
    (requirement) => !requirement.includes('platform_machine') || requirement.includes(`"${machine}"`),
  );
  const wheels = [];
  let megabytes = 0;
  for (const requirement of wanted) {
    let fetched = 0;
    wheels.push(
      await fetchWheel({
        requirement,
        // NVIDIA's are made for older systems too; pip wants each named.
        platforms: ['2_27', '2_17', '2_12'].map((glibc) => `manylinux_${glibc}_${machine}`),
        folder: join(root, 'downloads'),
        // pip would keep gigabytes that nobody asks for again.
        env: build === 'cuda' ? { ...env, PIP_NO_CACHE_DIR: '1' } : env,
        progress: (now) => {
          fetched = now;
          progress(`${megabytes + now} of ${downloadMb} MB`);
        },
        onStart,
      }),
    );
    megabytes += fetched;
  }
  return wheels;
}

/** Our own, compiled into the binding: operations register themselves with TensorFlow when it is loaded. */
const SOURCES = ['operations.cc', 'context.cc'].map((name) =>
  fileURLToPath(new URL(`../../packages/core/native/${name}`, import.meta.url)),
);

/**
 * Four C++ files and two libraries, so the compiler is called directly: node-gyp would add make and a download of
 * Node's headers, while the stable Node-API headers come from npm.
 * @param {string} root
 * @param {Places} places
 * @param {Context} context
 */
async function buildBinding(root, { libraries, binding: folder }, { env, steps, onStart }) {
  const tfjsNode = tfjsNodeFolder();
  if (!tfjsNode) throw new SetupError('the npm package @tensorflow/tfjs-node-gpu is missing');
  const require = createRequire(import.meta.url);
  const nodeApi = join(dirname(require.resolve('node-api-headers/package.json')), 'include');
  await steps.step(`TensorFlow.js binding ${BINDING_VERSION}, compile`, () =>
    installFolder(root, folder, async (partial) => {
      const binding = join(partial, 'tfjs_binding.node');
      const args = [
        ...['-std=c++17', '-O3', '-fPIC', '-shared', '-pthread', `-DNAPI_VERSION=${NODE_API_VERSION}`],
        // Known to x86 compilers alone; the operations choose their instructions when they are loaded.
        ...(process.arch === 'x64' ? ['-mprefer-vector-width=512'] : []),
        ...[`-I${nodeApi}`, `-I${tfjsNode}`, `-I${join(libraries, 'include')}`],
        ...[join(tfjsNode, 'binding/tfjs_backend.cc'), join(tfjsNode, 'binding/tfjs_binding.cc'), ...SOURCES],
        '-Wl,--wrap=TFE_NewContext',
        ...['-o', binding, `-L${libraries}`, ...LIBRARIES.map((name) => `-l:${name}`)],
        // Relative, and the same from the partial folder: the cache may be moved as a whole.
        `-Wl,-rpath,$ORIGIN/../${relative(root, libraries)}`,
      ];
      await run('g++', args, { env, onStart }).catch((error) => {
        if (!(error instanceof CommandError)) throw error;
        const first = error.output.split('\n').find((line) => /error/i.test(line)) ?? error.message;
        throw new SetupError(`g++ could not compile the binding: ${first.trim()}`, error.output);
      });
      const version = await probeBinding(binding).catch((error) => {
        throw new SetupError(error.message);
      });
      if (version !== TENSORFLOW_VERSION) throw new SetupError(`the binding loads TensorFlow ${version}`);
      return ['tfjs_binding.node'];
    }),
  );
}

/**
 * Puts a link where @tensorflow/tfjs-node-gpu looks. A file there is somebody's own build and stays.
 * @param {string} binding
 */
function linkBinding(binding) {
  const place = bindingPlace();
  if (!place) throw new SetupError('the npm package @tensorflow/tfjs-node-gpu is missing');
  mkdirSync(dirname(place), { recursive: true });
  if (lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink() === false) return;
  const fresh = `${place}.${process.pid}`;
  symlinkSync(binding, fresh);
  renameSync(fresh, place);
}

/**
 * @param {string} folder made where it is absent.
 * @param {number} neededBytes
 */
function lacksSpace(folder, neededBytes) {
  mkdirSync(folder, { recursive: true });
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize >= neededBytes) return undefined;
  const gib = (/** @type {number} */ bytes) => (bytes / 2 ** 30).toFixed(1);
  return `it needs ${gib(neededBytes)} GiB free in ${folder}, where ${gib(bavail * bsize)} are; NESGD_CACHE names another folder`;
}
