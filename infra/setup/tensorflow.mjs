import { lstatSync, mkdirSync, renameSync, rmSync, statfsSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isComplete } from '../../packages/core/dist/runtime/complete.js';
import {
  BINDING_VERSION,
  NODE_API_VERSION,
  runtimeLayout,
  TENSORFLOW_VERSION,
} from '../../packages/core/dist/runtime/layout.js';
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
import { fetchWheel } from './wheel.mjs';

/** The wheel, the unpacked libraries and pip's own copy of the wheel. */
const NEEDED_BYTES = 1.6 * 2 ** 30;
const LIBRARIES = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];
/** What the binding's sources and ours include, directly or not. */
const HEADERS =
  /^include\/(tensorflow\/c|tensorflow\/core\/(platform|common_runtime\/next_pluggable_device\/c)|tsl\/platform|xla\/tsl\/c)\/[^.]*\.h$/;
const LICENCES = /^(include\/LICENSE|THIRD_PARTY_NOTICES\.txt)$/;

/** @type {import('./runtime.mjs').Component} */
export const tensorflow = {
  name: `TensorFlow ${TENSORFLOW_VERSION}`,
  without: 'engine wasm trains, several times slower',

  isThere: ({ cacheRoot }) => findTensorflow(cacheRoot).usable,

  lacks({ cacheRoot, env }) {
    const { root, tensorflow, binding } = runtimeLayout(cacheRoot);
    const needsLibrary = !isComplete(tensorflow);
    return (
      lacksGlibc(2, 27) ??
      (needsLibrary ? lacksPython(env) : undefined) ??
      (isComplete(binding) ? undefined : lacksCompiler(env)) ??
      (needsLibrary ? lacksSpace(root) : undefined)
    );
  },

  async install(context) {
    const layout = runtimeLayout(context.cacheRoot);
    if (!isComplete(layout.tensorflow)) await installLibrary(layout, context);
    if (!isComplete(layout.binding)) await buildBinding(layout, context);
    linkBinding(join(layout.binding, 'tfjs_binding.node'));
  },
};

/**
 * @param {import('../../packages/core/dist/runtime/layout.js').RuntimeLayout} layout
 * @param {import('./runtime.mjs').Context} context
 */
async function installLibrary(layout, { env, steps, onStart }) {
  const wheel = await steps.step(`TensorFlow ${TENSORFLOW_VERSION}, download`, (progress) =>
    fetchWheel({
      requirements: fileURLToPath(new URL('requirements/tensorflow.txt', import.meta.url)),
      platform: `manylinux_2_27_${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}`,
      folder: join(layout.root, 'downloads'),
      approximateMb: 275,
      env,
      progress,
      onStart,
    }),
  );
  await steps.step(`TensorFlow ${TENSORFLOW_VERSION}, unpack`, () =>
    installFolder(layout.root, layout.tensorflow, async (partial) => {
      await unzip(wheel, partial, (name) => {
        const path = name.replace(/^tensorflow\//, '');
        return LIBRARIES.includes(path) || HEADERS.test(path) || LICENCES.test(path) ? path : undefined;
      });
      return LIBRARIES;
    }),
  );
  rmSync(wheel);
}

/** Our own operations, compiled into the binding: they register themselves with TensorFlow when it is loaded. */
const OPERATIONS = fileURLToPath(new URL('../../packages/core/native/operations.cc', import.meta.url));

/**
 * Three C++ files and two libraries, so the compiler is called directly: node-gyp would add make and a download of
 * Node's headers, while the stable Node-API headers come from npm.
 * @param {import('../../packages/core/dist/runtime/layout.js').RuntimeLayout} layout
 * @param {import('./runtime.mjs').Context} context
 */
async function buildBinding(layout, { env, steps, onStart }) {
  const tfjsNode = tfjsNodeFolder();
  if (!tfjsNode) throw new SetupError('the npm package @tensorflow/tfjs-node-gpu is missing');
  const require = createRequire(import.meta.url);
  const nodeApi = join(dirname(require.resolve('node-api-headers/package.json')), 'include');
  await steps.step(`TensorFlow.js binding ${BINDING_VERSION}, compile`, () =>
    installFolder(layout.root, layout.binding, async (partial) => {
      const binding = join(partial, 'tfjs_binding.node');
      const args = [
        ...['-std=c++17', '-O3', '-fPIC', '-shared', '-pthread', `-DNAPI_VERSION=${NODE_API_VERSION}`],
        // Known to x86 compilers alone; the operations choose their instructions when they are loaded.
        ...(process.arch === 'x64' ? ['-mprefer-vector-width=512'] : []),
        ...[`-I${nodeApi}`, `-I${tfjsNode}`, `-I${join(layout.tensorflow, 'include')}`],
        ...[join(tfjsNode, 'binding/tfjs_backend.cc'), join(tfjsNode, 'binding/tfjs_binding.cc'), OPERATIONS],
        ...['-o', binding, `-L${layout.tensorflow}`, ...LIBRARIES.map((name) => `-l:${name}`)],
        // Relative, and the same from the partial folder: the cache may be moved as a whole.
        `-Wl,-rpath,$ORIGIN/../${layout.tensorflow.slice(layout.root.length + 1)}`,
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

/** @param {string} folder made where it is absent. */
function lacksSpace(folder) {
  mkdirSync(folder, { recursive: true });
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize >= NEEDED_BYTES) return undefined;
  const gib = (/** @type {number} */ bytes) => (bytes / 2 ** 30).toFixed(1);
  return `it needs ${gib(NEEDED_BYTES)} GiB free in ${folder}, where ${gib(bavail * bsize)} are; NESGD_CACHE names another folder`;
}
