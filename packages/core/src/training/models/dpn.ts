import { type Cursor, SpecBuilder } from './builder.js';
import type { ImageShape, ModelSpec } from './spec.js';

/**
 * Dual path networks for small images (Chen et al. 2017): a 3x3 stem; stages of bottleneck blocks whose 3x3 convolution
 * has groups; of a block's output the first channels are added to what it read (as in a ResNet) and the others put
 * beside it (as in a DenseNet); global average pooling, one linear layer.
 *
 * Names, order of channels and initialisation (PyTorch's default) are those of kuangliu/pytorch-cifar, whose shortcut
 * projects at every stage's first block.
 */
export interface DpnOptions {
  readonly stem: number;
  readonly groups: number;
  /** Channels inside the bottleneck, for each stage; all stages but the first halve height and width. */
  readonly inner: readonly number[];
  /** Channels of the residual path, for each stage. */
  readonly residual: readonly number[];
  /** Channels that a block adds to the dense path, for each stage. */
  readonly dense: readonly number[];
  /** Blocks of each stage. */
  readonly blocks: readonly number[];
}

/** Of kuangliu/pytorch-cifar: 34,236,634 parameters for 10 classes and 3 channels. */
export const DPN92: DpnOptions = {
  stem: 64,
  groups: 32,
  inner: [96, 192, 384, 768],
  residual: [256, 512, 1024, 2048],
  dense: [16, 32, 24, 128],
  blocks: [3, 4, 20, 3],
};

export function dpn(name: string, options: DpnOptions, inputShape: ImageShape, classes: number): ModelSpec {
  const net = new SpecBuilder(name, inputShape, classes, 'uniform');
  net.enter({ stage: 'stem', block: 'stem' });
  let x = net.convNorm(net.input, options.stem, { conv: 'conv1', norm: 'bn1' }, { kernel: 3, relu: true });
  for (const [s, count] of options.blocks.entries()) {
    const stage = `layer${s + 1}`;
    for (let b = 0; b < count; b++) {
      net.enter({ stage, block: `${stage}.${b}` });
      x = block(net, x, options, s, b);
    }
  }
  net.enter({ stage: 'head', block: 'head' });
  net.linear(net.globalAvgPool(x), classes, 'linear');
  return net.build();
}

function block(net: SpecBuilder, x: Cursor, options: DpnOptions, s: number, b: number): Cursor {
  const name = `layer${s + 1}.${b}`;
  const names = (i: number) => ({ conv: `${name}.conv${i}`, norm: `${name}.bn${i}` });
  const [inner, residual] = [options.inner[s]!, options.residual[s]!];
  const channels = residual + options.dense[s]!;
  const stride = s > 0 && b === 0 ? 2 : 1;
  const { groups } = options;
  const reduced = net.convNorm(x, inner, names(1), { kernel: 1, relu: true });
  const grouped = net.convNorm(reduced, inner, names(2), { kernel: 3, stride, groups, relu: true });
  const y = net.convNorm(grouped, channels, names(3), { kernel: 1, relu: false });
  if (b > 0) return net.dualPath(x, y, residual);
  const projection = { conv: `${name}.shortcut.0`, norm: `${name}.shortcut.1`, layer: `${name}.shortcut` };
  return net.dualPath(net.convNorm(x, channels, projection, { kernel: 1, stride, relu: false }), y, residual);
}
