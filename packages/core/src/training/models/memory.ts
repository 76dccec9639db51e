import { type ImageSize, sizeAfter } from './flops.js';
import { type ModelSpec, type Node, type Source, sizeOf } from './spec.js';

/** The process before it has a network: Node, TensorFlow, its kernels compiled for this network. */
const PROCESS_BYTES = 420e6;
/** Weights, gradients, momentum, and the orders of them that convolutions compute in. */
const COPIES_OF_PARAMETERS = 6;
/** Most outputs are kept for the backward pass; some are given back before, gradients take their place. */
const COPIES_OF_OUTPUTS = 0.85;
const FLOAT_BYTES = 4;

/**
 * About what one trainer's memory comes to at its peak, training on the processor: fitted to measurements (decision
 * 0120), which it meets within a third. Data sets are not in it: they are mapped, once a machine.
 */
export function trainingMemoryBytes(spec: ModelSpec, batchSize: number): number {
  const parameters = spec.parameters.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
  const outputs = outputsOfOneImage(spec) * batchSize;
  return PROCESS_BYTES + FLOAT_BYTES * (COPIES_OF_PARAMETERS * parameters + COPIES_OF_OUTPUTS * outputs);
}

/** Numbers that all nodes together put out for one image. */
function outputsOfOneImage(spec: ModelSpec): number {
  const shapes = new Map(spec.parameters.map(({ name, shape }) => [name, shape]));
  const [height, width, inputChannels] = spec.inputShape;
  const sizes: ImageSize[] = [];
  const channels: number[] = [];
  let sum = 0;
  for (const node of spec.nodes) {
    const [source] = node.inputs as readonly [Source];
    const size = sizeAfter(node, source === 'input' ? [height, width] : sizes[source]!, shapes);
    const inputs = (node.inputs as readonly Source[]).map((from) =>
      from === 'input' ? inputChannels : channels[from]!,
    );
    const count = channelsAfter(node, inputs, shapes);
    sizes.push(size);
    channels.push(count);
    sum += size[0] * size[1] * count;
  }
  return sum;
}

function channelsAfter(node: Node, inputs: readonly number[], shapes: ReadonlyMap<string, readonly number[]>): number {
  switch (node.op) {
    case 'conv2d':
    case 'linear':
      return shapes.get(`${node.name}.weight`)![0]!;
    case 'concat':
      return inputs.reduce((sum, count) => sum + count, 0);
    case 'dualPath':
      return inputs[0]! + inputs[1]! - node.residual;
    default:
      return inputs[0]!;
  }
}
