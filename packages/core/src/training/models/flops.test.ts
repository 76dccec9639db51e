import { describe, expect, it } from 'vitest';
import { dpn } from './dpn.js';
import { forwardMultiplyAdds, modelSpec, trainingFlops } from './index.js';
import { nin } from './nin.js';

const cifar = (name: Parameters<typeof modelSpec>[0]) => modelSpec(name, [32, 32, 3], 10);

describe('forwardMultiplyAdds', () => {
  it('ResNet-20: each convolution’s weights times the positions it is applied at', () => {
    const stem = 16 * 3 * 9 * 32 ** 2;
    const stage1 = 6 * (16 * 16 * 9 * 32 ** 2);
    const stage2 = 32 * 16 * 9 * 16 ** 2 + 5 * (32 * 32 * 9 * 16 ** 2) + 32 * 16 * 16 ** 2;
    const stage3 = 64 * 32 * 9 * 8 ** 2 + 5 * (64 * 64 * 9 * 8 ** 2) + 64 * 32 * 8 ** 2;
    expect(forwardMultiplyAdds(cifar('resnet20'))).toBe(stem + stage1 + stage2 + stage3 + 64 * 10);
  });

  it.each([
    // The published 40.55 million of akamaster/pytorch_resnet_cifar10 are without the two projections of option B.
    ['resnet20', 40_551_040 + 2 * 131_072],
    // kuangliu/pytorch-cifar's ResNet18 is quoted with 0.56 billion.
    ['resnet18', 555_422_720],
  ] as const)('%s has %i for an image of CIFAR-10', (name, count) => {
    expect(forwardMultiplyAdds(cifar(name))).toBe(count);
  });

  it('a grouped convolution reads only its group', () => {
    const options = { stem: 4, groups: 2, inner: [4], residual: [4], dense: [2], blocks: [1] };
    const stem = 4 * 1 * 9;
    const block = 4 * 4 + 4 * (4 / 2) * 9 + 6 * 4;
    const projection = 6 * 4;
    expect(forwardMultiplyAdds(dpn('small', options, [3, 3, 1], 5))).toBe((stem + block + projection) * 9 + 5 * 8);
  });

  it('pooling leaves the layers after it fewer positions', () => {
    // 3x3 windows in steps of 2 with a border of 1: 7 -> 4 -> 2.
    const blocks = [1, 2, 3].map(() => ({ kernel: 3, channels: [4] }));
    const spec = nin('small', { blocks, pools: ['maxPool', 'avgPool'], dropout: 0 }, [7, 7, 1], 5);
    const last = 4 * 4 * 9 + 5 * 4;
    expect(forwardMultiplyAdds(spec)).toBe(4 * 9 * 7 ** 2 + 4 * 4 * 9 * 4 ** 2 + last * 2 ** 2);
  });
});

describe('trainingFlops', () => {
  it('is six operations a multiply-add, and four where the layer reads the images', () => {
    const stem = 16 * 3 * 9 * 32 ** 2;
    const spec = cifar('resnet20');
    expect(trainingFlops(spec)).toBe(6 * (forwardMultiplyAdds(spec) - stem) + 4 * stem);
  });

  it('every column of FractalNet’s first fractal reads the images', () => {
    const spec = cifar('fractalnet');
    expect(trainingFlops(spec)).toBe(6 * forwardMultiplyAdds(spec) - 2 * 3 * (64 * 3 * 9 * 32 ** 2));
  });
});
