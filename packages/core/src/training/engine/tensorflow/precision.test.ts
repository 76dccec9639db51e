import { describe, expect, it } from 'vitest';
import { processorHasBfloat16 } from '../../../machine/index.js';
import { detectEngines } from '../../../runtime/index.js';
import { defaultCacheRoot } from '../../../storage/index.js';
import { createEngine } from '../index.js';
import { tensorflowEnvironment } from './environment.js';

const BFLOAT16 = { device: 'cpu', precision: 'bfloat16' } as const;
const hasTensorflow = detectEngines(defaultCacheRoot(process.env)).tensorflow.usable;

// A process keeps the precision it began with: this file has one of its own.
describe.runIf(hasTensorflow && processorHasBfloat16())('precision bfloat16', () => {
  it('convolutions and their gradients round operands and results to 8 bits of mantissa, and sum in float32', async () => {
    const engine = await createEngine('tensorflow', 1, BFLOAT16);
    expect(engine.description).toMatch(/CPU, 1 thread, bfloat16/);
    const geometry = { stride: 1, padding: 0, groups: 1 };
    const before = engine.memory().tensors;
    // 1 + 2^-9 becomes 1: too fine for 8 bits. 256 of them sum to 256, which float32 holds and bfloat16 too.
    const fine = 1 + 2 ** -9;
    const x = engine.tensor(new Float32Array(256).fill(fine), [1, 1, 1, 256]);
    const kernel = engine.variable(new Float32Array(256).fill(1), [1, 1, 256, 1]);
    const dy = engine.tensor(Float32Array.of(fine), [1, 1, 1, 1]);

    const y = engine.conv2d(x, kernel, geometry);
    expect(engine.read(y)).toEqual(Float32Array.of(256));
    const dx = engine.conv2dGradInput(dy, kernel, x.shape, geometry);
    expect(engine.read(dx)).toEqual(new Float32Array(256).fill(1));
    const dKernel = engine.conv2dGradKernel(dy, x, kernel.shape, geometry);
    expect(engine.read(dKernel)).toEqual(new Float32Array(256).fill(1));

    for (const tensor of [x, dy, y, dx, dKernel]) tensor.dispose();
    kernel.dispose();
    expect(engine.memory().tensors).toBe(before);
  });

  it('what is no convolution stays float32', async () => {
    const engine = await createEngine('tensorflow', 1, BFLOAT16);
    const fine = engine.tensor(Float32Array.of(1 + 2 ** -9), [1, 1, 1, 1]);
    const sum = engine.add(fine, fine, { relu: false });
    expect(engine.read(sum)).toEqual(Float32Array.of(2 + 2 ** -8));
    fine.dispose();
    sum.dispose();
  });
});

it('a process keeps the precision it began with', async () => {
  if (!hasTensorflow || !processorHasBfloat16()) return;
  await createEngine('tensorflow', 1, BFLOAT16);
  await expect(createEngine('tensorflow', 1)).rejects.toMatchObject({ code: 'ENGINE_THREADS' });
});

it('engine wasm has float32 alone, and says so', async () => {
  await expect(createEngine('wasm', 1, BFLOAT16)).rejects.toMatchObject({ code: 'ENGINE_UNAVAILABLE' });
});

describe('what TensorFlow is told', () => {
  it('for a processor: no card, whatever the machine has', () => {
    const told = tensorflowEnvironment({ threads: 2, ...BFLOAT16 }, { CUDA_VISIBLE_DEVICES: 'GPU-1' });
    expect(told).toMatchObject({ CUDA_VISIBLE_DEVICES: '-1', TF_NUM_INTRAOP_THREADS: '2', OMP_NUM_THREADS: '2' });
  });

  it('for a card: deterministic kernels, memory as it is needed, and TF32 only where asked for', () => {
    const told = tensorflowEnvironment({ threads: 1, device: 'gpu', precision: 'float32' }, {});
    expect(told).toMatchObject({
      TF_DETERMINISTIC_OPS: '1',
      TF_FORCE_GPU_ALLOW_GROWTH: 'true',
      NVIDIA_TF32_OVERRIDE: '0',
    });
    expect(told).not.toHaveProperty('CUDA_VISIBLE_DEVICES');
    const withTf32 = tensorflowEnvironment(
      { threads: 1, device: 'gpu', precision: 'tf32' },
      { NVIDIA_TF32_OVERRIDE: '0' },
    );
    expect(withTf32).toMatchObject({ NVIDIA_TF32_OVERRIDE: undefined });
  });
});
