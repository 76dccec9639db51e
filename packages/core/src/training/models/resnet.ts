import { type Cursor, SpecBuilder, type WeightInit } from './builder.js';
import type { ImageShape, ModelSpec } from './spec.js';

/**
 * Residual networks of basic blocks for small images (He et al. 2016): a 3x3 stem, stages of blocks of two 3x3
 * convolutions, global average pooling, one linear layer.
 *
 * Where a block changes the size, its shortcut is a 1x1 convolution with batch norm (the paper's option B).
 */
export interface ResNetOptions {
  /** Channels of each stage; all but the first halve height and width. */
  readonly widths: readonly number[];
  /** Residual blocks of each stage. */
  readonly blocks: readonly number[];
  readonly weightInit: WeightInit;
}

/**
 * Section 4.2 of the paper: 6n + 2 layers of 16, 32 and 64 channels. Names and initialisation are those of
 * akamaster/pytorch_resnet_cifar10 with option B. ResNet-20 has 272,474 parameters for 10 classes and 3 channels:
 * the 269,722 of option A and 2,752 in the two projections.
 */
const small = (n: number): ResNetOptions => ({
  widths: [16, 32, 64],
  blocks: [n, n, n],
  weightInit: 'kaimingNormal',
});

export const RESNETS = {
  resnet8: small(1),
  resnet14: small(2),
  resnet20: small(3),
  resnet32: small(5),
  /** Of kuangliu/pytorch-cifar, with its names and initialisation: 11,173,962 parameters for 10 classes and 3 channels. */
  resnet18: { widths: [64, 128, 256, 512], blocks: [2, 2, 2, 2], weightInit: 'uniform' },
  /** From there too: 21,282,122 parameters. */
  resnet34: { widths: [64, 128, 256, 512], blocks: [3, 4, 6, 3], weightInit: 'uniform' },
} as const satisfies Record<string, ResNetOptions>;

export function resnet(name: string, options: ResNetOptions, inputShape: ImageShape, classes: number): ModelSpec {
  const net = new SpecBuilder(name, inputShape, classes, options.weightInit);
  net.enter({ stage: 'stem', block: 'stem' });
  let x = net.convNorm(
    net.input,
    options.widths[0]!,
    { conv: 'conv1', norm: 'bn1' },
    { kernel: 3, stride: 1, relu: true },
  );
  for (const [s, width] of options.widths.entries()) {
    const stage = `layer${s + 1}`;
    for (let b = 0; b < options.blocks[s]!; b++) {
      net.enter({ stage, block: `${stage}.${b}` });
      x = basicBlock(net, x, width, `${stage}.${b}`, s > 0 && b === 0 ? 2 : 1);
    }
  }
  net.enter({ stage: 'head', block: 'head' });
  net.linear(net.globalAvgPool(x), classes, 'linear');
  return net.build();
}

function basicBlock(net: SpecBuilder, x: Cursor, width: number, name: string, stride: number): Cursor {
  const first = { conv: `${name}.conv1`, norm: `${name}.bn1` };
  const second = { conv: `${name}.conv2`, norm: `${name}.bn2` };
  const inner = net.convNorm(x, width, first, { kernel: 3, stride, relu: true });
  const y = net.convNorm(inner, width, second, { kernel: 3, stride: 1, relu: false });
  if (stride === 1 && x.channels === width) return net.add(y, x, { relu: true });
  const projection = { conv: `${name}.shortcut.0`, norm: `${name}.shortcut.1`, layer: `${name}.shortcut` };
  const shortcut = net.convNorm(x, width, projection, { kernel: 1, stride, relu: false });
  return net.add(y, shortcut, { relu: true });
}
