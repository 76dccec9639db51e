import { describe, expect, it } from 'vitest';
import { ImageSizeError } from '../../errors.js';
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
    // kuangliu/pytorch-cifar: models/resnet.py, models/densenet.py, models/dpn.py.
    ['resnet34', 21_282_122],
    ['densenet121', 6_956_298],
    ['dpn92', 34_236_634],
    // andreasveit/densenet-pytorch: densenet.py, DenseNet3(100, 10, growth_rate=12, reduction=1.0, bottleneck=False).
    ['densenet100', 7_083_538],
    // jiecaoyu/pytorch-nin-cifar10: original.py.
    ['nin', 966_986],
    // khanrc/pt.fractalnet: fractal.py, FractalNet((3, 32, 32, 10), 3, 64, 0.15, [0] * 5, 0.5).
    ['fractalnet', 33_724_618],
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

describe('the smallest images', () => {
  it.each([
    ['densenet121', 8],
    ['densenet100', 4],
  ] as const)('%s takes %ix%i and refuses smaller ones by name', (name, size) => {
    expect(modelSpec(name, [size, size, 1], 10).inputShape).toEqual([size, size, 1]);
    expect(() => modelSpec(name, [size, size - 1, 1], 10)).toThrow(ImageSizeError);
    expect(() => modelSpec(name, [size, size - 1, 1], 10)).toThrow(
      `model.name is ${name}, which needs images of at least ${size}x${size}, but the data set's are ${size}x${size - 1}`,
    );
  });

  it.each(MODEL_NAMES.filter((name) => !name.startsWith('densenet')))('%s takes a single pixel', (name) => {
    expect(modelSpec(name, [1, 1, 1], 10).nodes.length).toBeGreaterThan(0);
  });

  it.each([
    [32, 32, 5],
    [28, 28, 4],
    [64, 3, 1],
    [1, 1, 0],
  ])('fractalnet pools %ix%i %i times: as long as there is something to pool', (height, width, times) => {
    const { nodes } = modelSpec('fractalnet', [height, width, 1], 10);
    expect(nodes.filter(({ op }) => op === 'maxPool')).toHaveLength(times);
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

  const at = (name: (typeof MODEL_NAMES)[number], granularity: (typeof GRANULARITIES)[number]) =>
    blockNames({ name, granularity }, [32, 32, 3], 10).map((block) => block.name);

  it('densenet: a transition belongs to the stage before it and is a block of its own', () => {
    expect(at('densenet121', 'stage')).toEqual(['stem', 'dense1', 'dense2', 'dense3', 'dense4', 'head']);
    const blocks = at('densenet121', 'block');
    expect(blocks.slice(0, 9)).toEqual(['stem', ...[0, 1, 2, 3, 4, 5].map((i) => `dense1.${i}`), 'trans1', 'dense2.0']);
    expect(blocks).toHaveLength(1 + 6 + 12 + 24 + 16 + 3 + 1);
    expect(at('densenet100', 'block')).toHaveLength(1 + 3 * 32 + 2 + 1);
  });

  it('densenet: a layer is a convolution with the batch norm before it; the last norm goes with the linear layer', () => {
    expect(at('densenet121', 'layer')).toHaveLength(1 + 2 * 58 + 3 + 1);
    const layerOf = (name: string) => cifar('densenet121').parameters.find((p) => p.name === name)?.block.layer;
    expect(layerOf('dense2.3.bn2.running_mean')).toBe('dense2.3.conv2');
    expect(layerOf('trans1.bn.weight')).toBe('trans1');
    expect(layerOf('bn.weight')).toBe('linear');
  });

  it('dpn92: stages and blocks as in a ResNet, the projection its own layer', () => {
    expect(at('dpn92', 'stage')).toEqual(['stem', 'layer1', 'layer2', 'layer3', 'layer4', 'head']);
    expect(at('dpn92', 'block')).toHaveLength(1 + 3 + 4 + 20 + 3 + 1);
    expect(at('dpn92', 'layer').slice(0, 6)).toEqual([
      'conv1',
      'layer1.0.conv1',
      'layer1.0.conv2',
      'layer1.0.conv3',
      'layer1.0.shortcut',
      'layer1.1.conv1',
    ]);
  });

  it('nin: a stage is an mlpconv, a block its convolution or its perceptron, a layer one of nine convolutions', () => {
    expect(at('nin', 'stage')).toEqual(['mlpconv1', 'mlpconv2', 'mlpconv3']);
    expect(at('nin', 'block')).toEqual(['mlpconv1', 'mlpconv2', 'mlpconv3'].flatMap((s) => [`${s}.conv`, `${s}.mlp`]));
    expect(at('nin', 'layer')).toEqual([0, 2, 4, 8, 10, 12, 16, 18, 20].map((i) => `classifier.${i}`));
  });

  it('fractalnet: a stage is a fractal, a block one of its columns, a layer a convolution with its batch norm', () => {
    const fractals = ['layers.0', 'layers.2', 'layers.4', 'layers.6', 'layers.8'];
    expect(at('fractalnet', 'stage')).toEqual([...fractals, 'head']);
    // In the order of computation: the longest column begins first, the shortest ends the fractal.
    expect(at('fractalnet', 'block')).toEqual([
      ...fractals.flatMap((f) => [2, 1, 0].map((c) => `${f}.columns.${c}`)),
      'head',
    ]);
    expect(at('fractalnet', 'layer')).toHaveLength(5 * 7 + 1);
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
