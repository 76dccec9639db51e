import { describe, expect, it } from 'vitest';
import { GRANULARITIES, MODEL_NAMES } from '../../protocol/training-settings.js';
import { blockNames, blocksOf, modelSpec, sizeOf } from './index.js';

const cifar = (name: (typeof MODEL_NAMES)[number]) => modelSpec(name, [32, 32, 3], 10);
const trainable = (name: (typeof MODEL_NAMES)[number]) =>
  cifar(name).parameters.reduce((sum, p) => sum + (p.trainable ? sizeOf(p.shape) : 0), 0);

describe('modelSpec', () => {
  it.each([
    // kuangliu/pytorch-cifar; torch counts the same for the class in test/oracle/training_fixtures.py.
    ['resnet18', 11_173_962],
    // akamaster/pytorch_resnet_cifar10 with option A has 2,752 less: the two projections.
    ['resnet20', 272_474],
    ['resnet8', 78_042],
    ['resnet14', 175_258],
    ['resnet32', 466_906],
  ] as const)('%s has %i parameters for CIFAR-10', (name, count) => {
    expect(trainable(name)).toBe(count);
  });

  it('names parameters as PyTorch does', () => {
    const names = cifar('resnet20').parameters.map((p) => p.name);
    expect(names).toContain('conv1.weight');
    expect(names).toContain('layer2.0.shortcut.0.weight');
    expect(names).toContain('layer2.0.shortcut.1.running_var');
    expect(names).toContain('layer3.2.bn2.bias');
    expect(names.at(-1)).toBe('linear.bias');
    expect(new Set(names).size).toBe(names.length);
  });

  it('follows the images: one channel makes a smaller stem, more classes a larger head', () => {
    const shapeOf = (name: string) =>
      modelSpec('resnet8', [28, 28, 1], 7).parameters.find((p) => p.name === name)?.shape;
    expect(shapeOf('conv1.weight')).toEqual([16, 1, 3, 3]);
    expect(shapeOf('linear.weight')).toEqual([7, 64]);
  });
});

describe('blockNames', () => {
  const names = (granularity: (typeof GRANULARITIES)[number]) =>
    blockNames({ name: 'resnet8', granularity }, [32, 32, 3], 10).map((block) => block.name);

  it('stage: stem, each stage, head', () => {
    expect(names('stage')).toEqual(['stem', 'layer1', 'layer2', 'layer3', 'head']);
  });

  it('block: stem, each residual block with its shortcut, head', () => {
    expect(names('block')).toEqual(['stem', 'layer1.0', 'layer2.0', 'layer3.0', 'head']);
    expect(blockNames({ name: 'resnet14', granularity: 'block' }, [32, 32, 3], 10)).toHaveLength(8);
    expect(blockNames({ name: 'resnet18', granularity: 'block' }, [32, 32, 3], 10)).toHaveLength(10);
  });

  it('layer: each convolution with its batch norm, and the linear layer', () => {
    expect(names('layer')).toEqual([
      'conv1',
      'layer1.0.conv1',
      'layer1.0.conv2',
      'layer2.0.conv1',
      'layer2.0.conv2',
      'layer2.0.shortcut',
      'layer3.0.conv1',
      'layer3.0.conv2',
      'layer3.0.shortcut',
      'linear',
    ]);
  });

  it.each(MODEL_NAMES.flatMap((name) => GRANULARITIES.map((granularity) => [name, granularity] as const)))(
    '%s at granularity %s: the blocks hold every parameter once',
    (name, granularity) => {
      const blocks = blocksOf(cifar(name), granularity);
      expect(blocks.reduce((sum, block) => sum + block.parameters, 0)).toBe(trainable(name));
      for (const block of blocks) expect(block.parameters).toBeGreaterThan(0);
    },
  );

  it('a convolution and its batch norm, statistics too, are never parted', () => {
    const { parameters } = cifar('resnet20');
    for (const granularity of GRANULARITIES) {
      const blockOf = (name: string) => parameters.find((p) => p.name === name)?.block[granularity];
      for (const suffix of ['weight', 'bias', 'running_mean', 'running_var']) {
        expect(blockOf(`layer2.0.bn1.${suffix}`)).toBe(blockOf('layer2.0.conv1.weight'));
        expect(blockOf(`layer2.0.shortcut.1.${suffix}`)).toBe(blockOf('layer2.0.shortcut.0.weight'));
      }
    }
  });
});
