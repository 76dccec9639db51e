import type { Normalisation } from '../../protocol/index.js';
import type { Node, Source } from '../models/index.js';
import { type ImageShape, type ModelSpec, sizeOf } from '../models/index.js';
import type { Weights } from '../weights.js';
import { GraphBuilder, type GraphWeight, shapeOf } from './graph-def.js';
import { writeNode } from './graph-nodes.js';

/** A network that can be used: what it computes, its numbers, and what it takes an image's bytes for. */
export interface UsableNetwork {
  readonly spec: ModelSpec;
  readonly weights: Weights;
  readonly normalisation: Normalisation;
}

/** The browser's cache keeps files of this size: the size that TensorFlow's own converter cuts at. */
const SHARD_BYTES = 4 * 1024 * 1024;

/** Names in the graph that others may ask for. */
const INPUT = 'images';
const LOGITS = 'logits';
const PROBABILITIES = 'probabilities';

/**
 * A network as a TensorFlow.js graph model (`tf.loadGraphModel`), eval mode. Input: `images`, float32 `[N, H, W, C]`
 * with values from 0 to 255; normalisation is part of the graph. Output: `probabilities` `[N, classes]`;
 * `model.execute(images, 'logits')` has what the softmax is of.
 * @param metadata goes into `userDefinedMetadata`.
 * @returns files by name, `model.json` and the weights in shards. The same network gives the same bytes.
 */
export function graphModelFiles(
  network: UsableNetwork,
  metadata: Readonly<Record<string, unknown>>,
): Map<string, Uint8Array> {
  const graph = graphOf(network);
  const bytes = concatenated(graph.weights);
  const shards = Math.max(1, Math.ceil(bytes.length / SHARD_BYTES));
  const shardName = (i: number) => `weights-${i + 1}-of-${shards}.bin`;
  const [height, width, channels] = network.spec.inputShape;
  const tensor = (name: string, shape: readonly number[]) => ({
    [name]: { name: `${name}:0`, dtype: 'DT_FLOAT', tensorShape: shapeOf(shape) },
  });
  const model = {
    format: 'graph-model',
    generatedBy: 'nesgd',
    convertedBy: null,
    signature: {
      inputs: tensor(INPUT, [-1, height, width, channels]),
      outputs: tensor(PROBABILITIES, [-1, network.spec.classes]),
    },
    userDefinedMetadata: metadata,
    modelTopology: { node: graph.nodes, versions: { producer: 1087, minConsumer: 0 } },
    weightsManifest: [
      {
        paths: Array.from({ length: shards }, (_, i) => shardName(i)),
        weights: graph.weights.map(({ name, shape, values }) => ({
          name,
          shape,
          dtype: values instanceof Int32Array ? 'int32' : 'float32',
        })),
      },
    ],
  };
  const files = new Map<string, Uint8Array>([['model.json', new TextEncoder().encode(`${JSON.stringify(model)}\n`)]]);
  for (let i = 0; i < shards; i++) files.set(shardName(i), bytes.subarray(i * SHARD_BYTES, (i + 1) * SHARD_BYTES));
  return files;
}

function graphOf({ spec, weights, normalisation }: UsableNetwork): GraphBuilder {
  const graph = new GraphBuilder();
  const input = normalised(graph, spec.inputShape, normalisation);
  const names: string[] = [];
  const channels: number[] = [];
  const channelsOf = (source: Source) => (source === 'input' ? spec.inputShape[2] : channels[source]!);
  for (const [i, node] of spec.nodes.entries()) {
    channels.push(channelsAfter(node, spec, channelsOf));
    const outputOf = (source: Source) => (source === 'input' ? input : names[source]!);
    names.push(
      writeNode(node, {
        graph,
        spec,
        weights,
        outputOf,
        name: 'name' in node ? `${node.name}/${node.op}` : `${i}/${node.op}`,
        channels: node.inputs.map(channelsOf),
      }),
    );
  }
  graph.node(LOGITS, 'Identity', [names.at(-1)!]);
  graph.node(PROBABILITIES, 'Softmax', [LOGITS]);
  return graph;
}

/** x * 1 / (255 std) - mean / std. */
function normalised(graph: GraphBuilder, [height, width, channels]: ImageShape, { mean, std }: Normalisation): string {
  const images = graph.placeholder(INPUT, [-1, height, width, channels]);
  // A channel that never changes has no scale.
  const scales = std.map((value) => (value > 0 ? value : 1));
  const factor = graph.floats(
    'normalise/factor',
    [channels],
    Float32Array.from(scales, (s) => 1 / (255 * s)),
  );
  const offset = graph.floats(
    'normalise/offset',
    [channels],
    Float32Array.from(scales, (s, c) => -mean[c]! / s),
  );
  return graph.node('normalise', 'AddV2', [graph.node('normalise/scaled', 'Mul', [images, factor]), offset]);
}

function channelsAfter(node: Node, spec: ModelSpec, channelsOf: (source: Source) => number): number {
  const inputs = node.inputs.map(channelsOf);
  switch (node.op) {
    case 'conv2d':
    case 'linear':
      return spec.parameters.find(({ name }) => name === `${node.name}.weight`)!.shape[0]!;
    case 'concat':
      return inputs.reduce((sum, n) => sum + n, 0);
    case 'dualPath':
      return inputs[0]! + inputs[1]! - node.residual;
    default:
      return inputs[0]!;
  }
}

/** Little-endian, in order. */
function concatenated(weights: readonly GraphWeight[]): Uint8Array {
  const bytes = new Uint8Array(weights.reduce((sum, { shape }) => sum + 4 * sizeOf(shape), 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const { values } of weights) {
    for (const value of values) {
      if (values instanceof Int32Array) view.setInt32(at, value, true);
      else view.setFloat32(at, value, true);
      at += 4;
    }
  }
  return bytes;
}
