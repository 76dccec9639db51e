import { join } from 'node:path';
import { OPERATIONS_DIGEST, TENSORFLOW_VERSION } from '../edition.js';
import { cacheFolder } from '../storage/index.js';

/**
 * Where the native runtime lies in the cache folder. Every folder is named by what is in it, so that versions live
 * side by side and a checkout never uses another one's. `infra/setup` fills them; this package only looks.
 */

/** Pinned with its SHA-256 in infra/setup/requirements/. */
export const VALKEY_VERSION = '9.1.2';
/** Of @tensorflow/tfjs-node-gpu, whose C++ sources become the binding. */
export const BINDING_VERSION = '4.22.0';
/** The Node-API version that the binding is compiled for: Node 20, 22 and 24 all load it. */
export const NODE_API_VERSION = 8;

/** What a TensorFlow computes on: `cuda` on NVIDIA cards, and on the processor where it finds none. */
export type TensorflowBuild = 'cpu' | 'cuda';

export interface TensorflowPlaces {
  /** All of it, counted as there when whole: see complete.ts. */
  readonly folder: string;
  /** `libtensorflow_cc.so.2`, `libtensorflow_framework.so.2`, `include/`: for `cuda` beside the folder `nvidia/`. */
  readonly libraries: string;
  /** `tfjs_binding.node`, linked to `libraries` by a relative run path: the cache folder may be moved as a whole. */
  readonly binding: string;
}

export interface RuntimeLayout {
  /** All of it; what is being made lies here too, under names that begin with `.partial-`. */
  readonly root: string;
  readonly tensorflow: Readonly<Record<TensorflowBuild, TensorflowPlaces>>;
  /** `valkey-server`. */
  readonly valkey: string;
}

export function runtimeLayout(cacheRoot: string, platform = `${process.platform}-${process.arch}`): RuntimeLayout {
  const root = cacheFolder(cacheRoot).runtime;
  const bindingName = `binding-${BINDING_VERSION}-operations-${OPERATIONS_DIGEST}-napi-${NODE_API_VERSION}`;
  const places = (tensorflow: string, libraries: string): TensorflowPlaces => {
    const folder = join(root, `${tensorflow}-${platform}`);
    return {
      folder,
      libraries: join(folder, libraries),
      binding: join(root, `${bindingName}-${tensorflow}-${platform}`),
    };
  };
  return {
    root,
    tensorflow: {
      cpu: places(`tensorflow-${TENSORFLOW_VERSION}`, '.'),
      // As pip lays the wheels out: TensorFlow looks for NVIDIA's libraries in `../nvidia/*/lib`.
      cuda: places(`tensorflow-cuda-${TENSORFLOW_VERSION}`, 'tensorflow'),
    },
    valkey: join(root, `valkey-${VALKEY_VERSION}-${platform}`),
  };
}
