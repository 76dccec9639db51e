import { defaultCacheRoot } from '@nesgd/core/storage';
import { expect, it } from 'vitest';
import { chooseRuntime } from './choose-runtime.js';

const cacheRoot = defaultCacheRoot(process.env);
const wasm = { engine: 'wasm', threads: 4, precision: 'float32' } as const;

it('runtime: engine wasm computes on one thread, whatever is asked, and what is ordinary is not written down', () => {
  expect(chooseRuntime(wasm, cacheRoot, () => {})).toEqual({ engine: 'wasm', threads: 1 });
});

it.each(['bfloat16', 'tf32'] as const)(
  'runtime: precision %s with engine wasm is refused with the reason',
  (precision) => {
    expect(() => chooseRuntime({ ...wasm, precision }, cacheRoot, () => {})).toThrow(
      `runtime.precision is ${precision}, which engine wasm does not have: leave it at float32`,
    );
  },
);
