import { z } from 'zod';
import { CheckpointError } from '../errors.js';
import { type EpochRecord, epochRecordSchema } from '../protocol/index.js';
import { type ModelSpec, sizeOf } from './models/index.js';
import { float32Values, formatSafetensors, parseSafetensors } from './safetensors.js';
import type { Velocities } from './sgd.js';
import type { Weights } from './weights.js';

/** How far a training has come. Its random draws are functions of epoch and step, so no generator has a state to keep. */
export interface Course {
  /** Steps of SGD done. */
  steps: number;
  /** Of the epoch under way: summed loss of its images so far, and how many they are. */
  lossSum: number;
  images: number;
  /** Of all epochs. */
  imagesTrained: number;
  /** One record a finished epoch: the epoch under way is the next. */
  readonly curve: EpochRecord[];
  best: Best | undefined;
  average: Average | undefined;
}

/** The mean of the weights at the ends of the last epochs, so far. */
export interface Average {
  readonly weights: Weights;
  readonly epochs: number;
}

/** The epoch that `weights: best` would leave, so far. */
export interface Best {
  readonly weights: Weights;
  readonly chosenBy: number;
  readonly accuracy: number;
}

/** All that a training needs to go on to the same bits, on the same engine. */
export interface TrainingState extends Readonly<Course> {
  readonly weights: Weights;
  /** In the engine's own layout. */
  readonly velocities: Velocities;
}

const metadataSchema = z.strictObject({
  job: z.string(),
  steps: z.int().min(0),
  lossSum: z.number(),
  images: z.int().min(0),
  imagesTrained: z.int().min(0),
  curve: z.array(epochRecordSchema),
  best: z.strictObject({ chosenBy: z.number(), accuracy: z.number() }).nullable(),
  averagedEpochs: z.int().min(0),
});

/** @param job names the training that it belongs to (`keyOnProcessor`). @returns a safetensors file. */
export function formatTrainingState(spec: ModelSpec, job: string, state: TrainingState): Uint8Array {
  const { weights, velocities, best, average, steps, lossSum, images, imagesTrained, curve } = state;
  const tensors = new Map<string, { shape: readonly number[]; values: Float32Array }>();
  for (const { name, shape, trainable } of spec.parameters) {
    tensors.set(`weights/${name}`, { shape, values: weights.get(name)! });
    if (best) tensors.set(`best/${name}`, { shape, values: best.weights.get(name)! });
    if (average) tensors.set(`average/${name}`, { shape, values: average.weights.get(name)! });
    if (trainable) tensors.set(`velocities/${name}`, { shape: [sizeOf(shape)], values: velocities.get(name)! });
  }
  const metadata: z.infer<typeof metadataSchema> = {
    job,
    steps,
    lossSum,
    images,
    imagesTrained,
    curve,
    best: best ? { chosenBy: best.chosenBy, accuracy: best.accuracy } : null,
    averagedEpochs: average?.epochs ?? 0,
  };
  return formatSafetensors(tensors, { training: JSON.stringify(metadata) });
}

/**
 * @param source how errors name the file.
 * @throws CheckpointError where it is damaged, or the state of another job or network.
 */
export function parseTrainingState(file: Uint8Array, spec: ModelSpec, job: string, source: string): TrainingState {
  const refuse = (fault: string) => new CheckpointError(source, fault);
  const { tensors, metadata } = parseSafetensors(file, source);
  const parsed = metadataSchema.safeParse(jsonOf(metadata.training));
  if (!parsed.success) throw refuse('it does not say how far its training has come');
  if (parsed.data.job !== job) throw refuse('it is the state of another training');
  const read = (kind: string, name: string, size: number): Float32Array => {
    const tensor = tensors.get(`${kind}/${name}`);
    if (tensor?.dtype !== 'F32' || tensor.bytes.length !== 4 * size)
      throw refuse(`${kind} of ${name}: missing, or of another size`);
    return float32Values(tensor);
  };
  const all = (kind: string, parameters: ModelSpec['parameters']) =>
    new Map(parameters.map(({ name, shape }) => [name, read(kind, name, sizeOf(shape))] as const));
  const { job: _, best, averagedEpochs, ...course } = parsed.data;
  return {
    ...course,
    best: best ? { ...best, weights: all('best', spec.parameters) } : undefined,
    average: averagedEpochs > 0 ? { weights: all('average', spec.parameters), epochs: averagedEpochs } : undefined,
    weights: all('weights', spec.parameters),
    velocities: all(
      'velocities',
      spec.parameters.filter(({ trainable }) => trainable),
    ),
  };
}

function jsonOf(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? '');
  } catch {
    return undefined;
  }
}
