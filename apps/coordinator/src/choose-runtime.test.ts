import { detectEngines } from '@nesgd/core/runtime';
import { defaultCacheRoot } from '@nesgd/core/storage';
import { describe, expect, it } from 'vitest';
import { chooseRuntime, type WantedRuntime } from './choose-runtime.js';

const here = { cacheRoot: defaultCacheRoot(process.env), env: { ...process.env, CUDA_VISIBLE_DEVICES: '-1' } };
const wasm = { engine: 'wasm', threads: 4, precision: 'float32' } as const;

it('runtime: engine wasm computes on one thread, whatever is asked, and what is ordinary is not written down', async () => {
  expect(await chooseRuntime(wasm, here, () => {})).toEqual({ engine: 'wasm', threads: 1 });
});

it.each(['bfloat16', 'tf32'] as const)(
  'runtime: precision %s with engine wasm is refused with the reason',
  async (precision) => {
    await expect(chooseRuntime({ ...wasm, precision }, here, () => {})).rejects.toThrow(
      `runtime.precision is ${precision}, which engine wasm does not have: leave it at float32`,
    );
  },
);

describe.runIf(detectEngines(here.cacheRoot).tensorflow.usable)('the device', () => {
  const wanted = { engine: 'tensorflow', threads: 1, precision: 'float32' } as const;
  const choose = async (changes: Partial<WantedRuntime>) => {
    const notices: string[] = [];
    const runtime = await chooseRuntime({ ...wanted, ...changes }, here, (event) => {
      if (event.type === 'notice') notices.push(event.text);
    });
    return { device: runtime.device ?? 'cpu', notices };
  };
  const NO_CARD = /no NVIDIA driver here|shows none of/;

  it('auto is the processor where there is no card, and says why; cpu says nothing', async () => {
    const notices = [expect.stringMatching(/^device cpu: /)];
    expect(await choose({})).toEqual({ device: 'cpu', notices });
    expect((await choose({ device: 'auto' })).notices[0]).toMatch(NO_CARD);
    expect(await choose({ device: 'cpu' })).toEqual({ device: 'cpu', notices: [] });
  });

  it('gpu without one is refused with what is missing', async () => {
    await expect(choose({ device: 'gpu' })).rejects.toThrow(
      /^runtime\.device is gpu, but there is no card to compute on: /,
    );
    await expect(choose({ device: 'gpu' })).rejects.toThrow(NO_CARD);
    await expect(choose({ device: 'gpu', engine: 'wasm' })).rejects.toThrow(/engine wasm computes on the processor/);
    await expect(choose({ device: 'gpu', precision: 'bfloat16' })).rejects.toThrow(/bfloat16 is for processors/);
  });

  it('gpu is taken at its word where all workers are elsewhere, and auto is not', async () => {
    expect(await choose({ device: 'gpu', workers: 0 })).toEqual({ device: 'gpu', notices: [] });
    expect(await choose({ device: 'gpu', workers: 0, precision: 'tf32' })).toMatchObject({ device: 'gpu' });
    expect(await choose({ workers: 0 })).toEqual({
      device: 'cpu',
      notices: [expect.stringMatching(/no workers here; --device gpu is for workers elsewhere/)],
    });
  });

  it('tf32 on the processor is refused', async () => {
    await expect(choose({ precision: 'tf32' })).rejects.toThrow(
      /tf32, which is for cards, and this run computes on the/,
    );
  });
});
