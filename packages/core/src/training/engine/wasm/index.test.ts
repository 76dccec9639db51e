import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, it } from 'vitest';
import { WasmMemoryError } from '../../../errors.js';
import { createWasmEngine } from './index.js';
import { KERNEL_SOURCES_SHA256 } from './kernels.generated.js';

const engine = await createWasmEngine();

describe('wasm engine', () => {
  it('loads nothing of the native TensorFlow, which may not be there', () => {
    const loaded = Object.keys(createRequire(import.meta.url).cache);
    expect(loaded.some((path) => path.includes('tfjs-backend-wasm'))).toBe(true);
    expect(loaded.filter((path) => path.includes('tfjs-node'))).toEqual([]);
  });

  it('its kernels are compiled from the sources as they are now (else run wasm-kernels/build.mjs)', () => {
    const folder = new URL('../../../../wasm-kernels/', import.meta.url);
    const hash = createHash('sha256');
    const sources = readdirSync(folder).filter((name) => name.endsWith('.ts'));
    for (const name of sources.sort()) hash.update(readFileSync(new URL(name, folder)));
    expect(hash.digest('hex')).toBe(KERNEL_SOURCES_SHA256);
  });

  it.each([
    ['more than the address space', [1, 40_000, 40_000, 1]],
    ['more than is left', [1, 32_767, 32_768, 1]],
  ])('refuses a tensor of %s, and goes on', (_, shape) => {
    const dy = engine.tensor(Float32Array.of(2), [1, 1]);
    expect(() => engine.globalAvgPoolGrad(dy, shape)).toThrow(WasmMemoryError);
    const dx = engine.globalAvgPoolGrad(dy, [1, 2, 1, 1]);
    expect(Array.from(engine.read(dx))).toEqual([1, 1]);
    dx.dispose();
    dy.dispose();
    expect(engine.memory().tensors).toBe(0);
  });

  it('refuses a tensor that was disposed, and one of another engine', () => {
    const x = engine.tensor(Float32Array.of(1, 2), [2]);
    x.dispose();
    expect(() => engine.read(x)).toThrow('shape [2] was used after it was disposed');
    x.dispose();
    expect(engine.memory().tensors).toBe(0);
    expect(() => engine.read({ shape: [2], dispose: () => {} })).toThrow('another engine');
  });

  it('a convolution sees every change of its kernel', () => {
    const x = engine.tensor(Float32Array.of(1, 2), [1, 1, 1, 2]);
    const kernel = engine.variable(Float32Array.of(1, 1), [1, 1, 2, 1]);
    const output = () => {
      const y = engine.conv2d(x, kernel, { stride: 1, padding: 0 });
      const [value] = engine.read(y);
      y.dispose();
      return value;
    };
    expect(output()).toBe(3);
    engine.assign(kernel, Float32Array.of(1, 10));
    expect(output()).toBe(21);
    const sgd = engine.sgd([kernel], { momentum: 0, weightDecay: 0 });
    const gradient = engine.tensor(Float32Array.of(0, 1), [1, 1, 2, 1]);
    sgd.step([gradient], 5);
    expect(output()).toBe(11);
    sgd.dispose();
    for (const value of [x, kernel, gradient]) value.dispose();
    expect(engine.memory().tensors).toBe(0);
  });
});
