import { type Cursor, SpecBuilder } from './builder.js';
import type { ImageShape, ModelSpec } from './spec.js';

/**
 * FractalNet (Larsson et al. 2017): blocks of several columns of 3x3 convolutions, the first with one, each next with
 * twice as many; wherever columns end together, the mean of their outputs is what all of them read next. 2x2 max
 * pooling after each block, as long as there are two pixels to pool (images of 32x32 are, five times); one linear layer.
 *
 * Names and initialisation are those of khanrc/pt.fractalnet; without drop-path and dropout (decision 0073).
 */
export interface FractalNetOptions {
  readonly columns: number;
  /** Channels of each block. */
  readonly widths: readonly number[];
}

/** The paper's network of 20 convolutions on its longest path: 33,724,618 parameters for 10 classes and 3 channels. */
export const FRACTALNET: FractalNetOptions = { columns: 3, widths: [64, 128, 256, 512, 512] };

export function fractalnet(
  name: string,
  { columns, widths }: FractalNetOptions,
  inputShape: ImageShape,
  classes: number,
): ModelSpec {
  const xavier = (fanIn: number, fanOut: number) => ({ kind: 'xavierUniform', fanIn, fanOut }) as const;
  const net = new SpecBuilder(name, inputShape, classes, xavier);
  let side = Math.min(inputShape[0], inputShape[1]);
  let x: Cursor = net.input;
  for (const [b, width] of widths.entries()) {
    // In the source a pooling module follows each block.
    x = fractal(net, x, width, columns, `layers.${2 * b}`);
    if (side < 2) continue;
    x = net.pool(x, 'maxPool', { kernel: 2, stride: 2, padding: 0 });
    side = Math.floor(side / 2);
  }
  net.enter({ stage: 'head', block: 'head' });
  // Before it stands the source's module that flattens; on images of its size, the pool sees one position.
  const linear = `layers.${2 * widths.length + 1}`;
  net.linear(net.globalAvgPool(x), classes, linear, { bias: { kind: 'constant', value: 0 } });
  return net.build();
}

/** Column c has a convolution at each depth that `2 ** (columns - 1 - c)` divides. */
function fractal(net: SpecBuilder, x: Cursor, width: number, columns: number, stage: string): Cursor {
  const depth = 2 ** (columns - 1);
  const heads: Cursor[] = new Array<Cursor>(columns).fill(x);
  for (let i = 1; i <= depth; i++) {
    const joining = heads.map((_, c) => c).filter((c) => i % 2 ** (columns - 1 - c) === 0);
    const outputs = joining.map((c) => {
      const column = `${stage}.columns.${c}`;
      net.enter({ stage, block: column });
      const layer = `${column}.${i - 1}`;
      const names = { conv: `${layer}.conv`, norm: `${layer}.bn`, layer };
      return net.convNorm(heads[c]!, width, names, { kernel: 3, relu: true });
    });
    const joined = net.mean(outputs);
    for (const c of joining) heads[c] = joined;
  }
  return heads[0]!;
}
