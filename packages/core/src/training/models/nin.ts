import { type Cursor, SpecBuilder } from './builder.js';
import type { ImageShape, ModelSpec } from './spec.js';

/**
 * Network in Network (Lin et al. 2013): three mlpconv blocks, each a convolution and a two-layer perceptron at every
 * position (1x1 convolutions), all with bias and ReLU; between them pooling and dropout; the last block's channels are
 * the classes, and their means over the image the logits.
 *
 * The paper's network for CIFAR-10, without batch norm, as jiecaoyu/pytorch-nin-cifar10 writes it, with its names:
 * 966,986 parameters for 10 classes and 3 channels (decision 0072). Its initialisation is for other pixels than ours
 * (decision 0253).
 */
export interface NinOptions {
  /** Of each mlpconv block: kernel size of its convolution, and channels of its three layers. */
  readonly blocks: readonly { readonly kernel: number; readonly channels: readonly number[] }[];
  /** After all blocks but the last. */
  readonly pools: readonly ('maxPool' | 'avgPool')[];
  readonly dropout: number;
}

export const NIN: NinOptions = {
  blocks: [
    { kernel: 5, channels: [192, 160, 96] },
    { kernel: 5, channels: [192, 192, 192] },
    { kernel: 3, channels: [192, 192] },
  ],
  pools: ['maxPool', 'avgPool'],
  dropout: 0.5,
};

export function nin(name: string, options: NinOptions, inputShape: ImageShape, classes: number): ModelSpec {
  const net = new SpecBuilder(name, inputShape, classes, 'kaimingNormal');
  let x: Cursor = net.input;
  // The source is one flat list of modules, in which a ReLU follows each convolution, pooling and dropout each block.
  let index = 0;
  for (const [b, { kernel, channels }] of options.blocks.entries()) {
    const stage = `mlpconv${b + 1}`;
    const pool = options.pools[b];
    for (const [i, width] of [...channels, ...(pool ? [] : [classes])].entries()) {
      net.enter({ stage, block: `${stage}.${i === 0 ? 'conv' : 'mlp'}` });
      x = net.convBias(x, width, `classifier.${index}`, { kernel: i === 0 ? kernel : 1 });
      index += 2;
    }
    if (!pool) continue;
    x = net.dropout(net.pool(x, pool, { kernel: 3, stride: 2, padding: 1 }), options.dropout);
    index += 2;
  }
  net.globalAvgPool(x);
  return net.build();
}
