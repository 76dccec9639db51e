import type { ModelSpec, Node, Source } from './spec.js';

/** Multiply-adds of the convolutions and linear layers, forward, for one image; all else costs little beside them. */
export function forwardMultiplyAdds(spec: ModelSpec): number {
  return weighted(spec, () => 1);
}

/**
 * Floating point operations of the convolutions and linear layers in one image's training step: forward, the weights'
 * gradient and the input's gradient cost the same number of multiply-adds, of two operations each. A layer that reads
 * the images needs no gradient of them.
 */
export function trainingFlops(spec: ModelSpec): number {
  return 2 * weighted(spec, (source) => (source === 'input' ? 2 : 3));
}

/** @param passes how often a layer that reads `source` does its multiply-adds. */
function weighted(spec: ModelSpec, passes: (source: Source) => number): number {
  const shapes = new Map(spec.parameters.map(({ name, shape }) => [name, shape]));
  const sizes: ImageSize[] = [];
  let sum = 0;
  for (const node of spec.nodes) {
    const [source] = node.inputs as readonly [Source];
    const [height, width] = spec.inputShape;
    const size = sizeAfter(node, source === 'input' ? [height, width] : sizes[source]!, shapes);
    sizes.push(size);
    if (node.op !== 'conv2d' && node.op !== 'linear') continue;
    const weights = shapes.get(`${node.name}.weight`)!.reduce((product, length) => product * length, 1);
    sum += passes(source) * weights * size[0] * size[1];
  }
  return sum;
}

export type ImageSize = readonly [height: number, width: number];

export function sizeAfter(node: Node, size: ImageSize, shapes: ReadonlyMap<string, readonly number[]>): ImageSize {
  switch (node.op) {
    case 'conv2d': {
      const [, , kH, kW] = shapes.get(`${node.name}.weight`) as [number, number, number, number];
      return [windows(size[0], kH, node), windows(size[1], kW, node)];
    }
    case 'maxPool':
    case 'avgPool':
      return [windows(size[0], node.kernel, node), windows(size[1], node.kernel, node)];
    case 'globalAvgPool':
      return [1, 1];
    default:
      return size;
  }
}

/** Positions of a window along one side. */
const windows = (length: number, kernel: number, { stride, padding }: { stride: number; padding: number }): number =>
  Math.floor((length + 2 * padding - kernel) / stride) + 1;
