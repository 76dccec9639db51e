import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { staffFor } from './staff-for.js';

describe('staffFor', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'nesgd-test-'));
    const lines = "echo '0, GPU-a, NVIDIA T4, 15360'; echo '1, GPU-b, NVIDIA T4, 15360'";
    writeFileSync(join(folder, 'nvidia-smi'), `#!/bin/sh\n${lines}`, { mode: 0o755 });
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const staff = (
    options: Parameters<typeof staffFor>[1],
    env: NodeJS.ProcessEnv = {},
    device: 'gpu' | 'cpu' = 'gpu',
  ) => {
    const runtime = device === 'gpu' ? { device } : {};
    const { workers, places } = staffFor(runtime, options, { PATH: folder, ...env }, () => 7);
    return [workers, ...places.map(({ card }) => card.uuid)];
  };

  it('on the processor it is as many as it feeds, or as asked for', () => {
    expect(staff({}, {}, 'cpu')).toEqual([7]);
    expect(staff({ workers: 3, workersPerDevice: 2 }, {}, 'cpu')).toEqual([3]);
  });

  it('on cards it is one a card, or as many as workersPerDevice says', () => {
    expect(staff({})).toEqual([2, 'GPU-a', 'GPU-b']);
    expect(staff({ workersPerDevice: 2 })).toEqual([4, 'GPU-a', 'GPU-b', 'GPU-a', 'GPU-b']);
  });

  it('so many as asked for are spread over the cards; with none, those elsewhere have them', () => {
    expect(staff({ workers: 1 })).toEqual([1, 'GPU-a']);
    expect(staff({ workers: 3 })).toEqual([3, 'GPU-a', 'GPU-b', 'GPU-a']);
    expect(staff({ workers: 0 })).toEqual([0]);
  });

  it('cards that the user left out are left alone', () => {
    expect(staff({}, { CUDA_VISIBLE_DEVICES: '1' })).toEqual([1, 'GPU-b']);
    expect(() => staff({}, { CUDA_VISIBLE_DEVICES: '' })).toThrow('CUDA_VISIBLE_DEVICES= shows none of 2 cards');
  });

  it('more than fit on a card are refused before anything starts', () => {
    expect(() => staff({ workersPerDevice: 13 })).toThrow(/13 trainers on NVIDIA T4 .* enough for 12/);
  });
});
