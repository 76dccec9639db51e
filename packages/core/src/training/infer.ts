import { readFile } from 'node:fs/promises';
import { normalisationTable } from '../datasets/index.js';
import type { ModelSettings, Normalisation } from '../protocol/index.js';
import { readCheckpoint } from './checkpoint.js';
import type { Engine } from './engine/index.js';
import { type ImageShape, modelSpec } from './models/index.js';
import { Network } from './network.js';

/** Images of one forward pass. */
const BATCH_SIZE = 64;

/**
 * What a stored network makes of images, in eval mode.
 * @param of `weights`: a safetensors file's path; `images`: base64 of uint8 `[N, H, W, C]`.
 * @returns `[N][classes]`
 * @throws CheckpointError where the file is not that network's.
 */
export async function infer(
  engine: Engine,
  of: {
    readonly model: ModelSettings['name'];
    readonly imageShape: ImageShape;
    readonly classes: number;
    readonly weights: string;
    readonly normalisation: Normalisation;
    readonly images: string;
  },
): Promise<number[][]> {
  const spec = modelSpec(of.model, of.imageShape, of.classes);
  const pixels = normalise(Buffer.from(of.images, 'base64'), of.normalisation);
  const network = new Network(engine, spec);
  try {
    network.load(readCheckpoint(await readFile(of.weights), spec, of.weights));
    const perImage = spec.inputShape.reduce((a, b) => a * b);
    const logits: number[][] = [];
    for (let at = 0; at < pixels.length; at += BATCH_SIZE * perImage) {
      const batch = pixels.subarray(at, at + BATCH_SIZE * perImage);
      const x = engine.tensor(batch, [batch.length / perImage, ...spec.inputShape]);
      const output = network.logits(x);
      const values = [...engine.read(output)];
      for (const tensor of [x, output]) tensor.dispose();
      while (values.length > 0) logits.push(values.splice(0, spec.classes));
    }
    return logits;
  } finally {
    network.dispose();
  }
}

function normalise(bytes: Uint8Array, normalisation: Normalisation): Float32Array {
  const table = normalisationTable(normalisation);
  const channels = normalisation.mean.length;
  return Float32Array.from(bytes, (byte, i) => table[256 * (i % channels) + byte]!);
}
