import { createRequire } from 'node:module';
import type { Runtime } from '../protocol/index.js';
import { findTensorflow } from './tensorflow.js';

export type EngineFinding =
  | { readonly usable: true; readonly description: string }
  | { readonly usable: false; readonly reason: string };

/** Which engines could train here, and why not. Looks at files only: nothing of TensorFlow.js is loaded. */
export function detectEngines(cacheRoot: string): Record<Runtime['engine'], EngineFinding> {
  const tensorflow = findTensorflow(cacheRoot);
  return {
    tensorflow: tensorflow.usable
      ? {
          usable: true,
          description:
            tensorflow.version === 'unknown'
              ? `TensorFlow (${tensorflow.binding})`
              : `TensorFlow ${tensorflow.version}`,
        }
      : tensorflow,
    wasm: findWasm(),
  };
}

function findWasm(): EngineFinding {
  try {
    const manifest = '@tensorflow/tfjs-backend-wasm/package.json';
    const { version } = createRequire(import.meta.url)(manifest) as { version: string };
    return { usable: true, description: `TensorFlow.js WebAssembly ${version}` };
  } catch {
    return {
      usable: false,
      reason: 'the npm package @tensorflow/tfjs-backend-wasm is missing: "npm start" installs it',
    };
  }
}
