import { CheckpointError } from '../errors.js';
import type { ModelSettings } from '../protocol/index.js';
import { type ImageShape, type ModelSpec, modelSpec, type ParameterSpec, sizeOf } from './models/index.js';
import { float32Values, formatSafetensors, parseSafetensors, type StoredTensor } from './safetensors.js';
import type { Weights } from './weights.js';

/** What a network's outputs and inputs mean, which its weights do not say. */
export interface Meaning {
  readonly classNames: readonly string[];
  readonly normalisation: { readonly mean: readonly number[]; readonly std: readonly number[] };
}

/**
 * A network's weights as a safetensors file: PyTorch's names and layouts, so `load_state_dict` takes it, and bytes that
 * depend on nothing but the arguments.
 * @param more further metadata, where it has other keys.
 */
export function writeCheckpoint(
  spec: ModelSpec,
  weights: Weights,
  meaning?: Meaning,
  more: Readonly<Record<string, string>> = {},
): Uint8Array {
  const tensors = new Map(
    spec.parameters.map(({ name, shape }) => [name, { shape, values: weights.get(name)! }] as const),
  );
  return formatSafetensors(tensors, {
    ...more,
    ...(meaning && {
      class_names: JSON.stringify(meaning.classNames),
      mean: JSON.stringify(meaning.normalisation.mean),
      std: JSON.stringify(meaning.normalisation.std),
    }),
    format: 'pt',
    model: describe(spec),
  });
}

/**
 * @param source how errors name the file.
 * @throws CheckpointError where it is damaged, is of another network, or holds values that are no numbers.
 */
export function readCheckpoint(file: Uint8Array, spec: ModelSpec, source: string): Weights {
  const { tensors, metadata } = parseSafetensors(file, source);
  const refuse = (fault: string) => new CheckpointError(source, fault);
  if (metadata.model !== undefined && metadata.model !== describe(spec)) {
    throw refuse(`it holds ${metadata.model}, and ${describe(spec)} is wanted`);
  }
  const wanted = new Set(spec.parameters.map((parameter) => parameter.name));
  const missing = [...wanted].filter((name) => !tensors.has(name));
  if (missing.length > 0) throw refuse(`it lacks ${listed(missing)} of ${describe(spec)}`);
  // PyTorch counts batches in each batch norm; nothing here reads that.
  const unknown = [...tensors.keys()].filter((name) => !wanted.has(name) && !name.endsWith('.num_batches_tracked'));
  if (unknown.length > 0) throw refuse(`it has ${listed(unknown)}, which ${describe(spec)} has not`);
  return new Map(spec.parameters.map((p) => [p.name, valuesOf(p, tensors.get(p.name)!, refuse)] as const));
}

/** `readCheckpoint` for those who only want to know whether a file will do. */
export function checkCheckpoint(
  file: Uint8Array,
  wanted: {
    readonly model: ModelSettings;
    readonly imageShape: ImageShape;
    readonly classes: number;
    readonly source: string;
  },
): void {
  readCheckpoint(file, modelSpec(wanted.model.name, wanted.imageShape, wanted.classes), wanted.source);
}

function valuesOf(parameter: ParameterSpec, tensor: StoredTensor, refuse: (fault: string) => Error): Float32Array {
  const { name, shape, trainable } = parameter;
  if (tensor.dtype !== 'F32') throw refuse(`${name} has dtype ${tensor.dtype}, and F32 is wanted`);
  if (tensor.shape.join() !== shape.join()) {
    throw refuse(`${name} has shape [${tensor.shape.join(', ')}], and [${shape.join(', ')}] is wanted`);
  }
  if (tensor.bytes.length !== 4 * sizeOf(shape)) {
    throw refuse(`${name} takes ${tensor.bytes.length} bytes, and its shape wants ${4 * sizeOf(shape)}`);
  }
  const values = float32Values(tensor);
  const fault = values.findIndex((value) => !Number.isFinite(value));
  if (fault >= 0) throw refuse(`value ${fault} of ${name} is ${values[fault]}: the network diverged`);
  if (!trainable && name.endsWith('running_var') && values.some((value) => value < 0)) {
    throw refuse(`${name} has a variance below 0`);
  }
  return values;
}

/** Such as `resnet20 for 32x32x3 images of 10 classes`. */
const describe = ({ name, inputShape, classes }: ModelSpec): string =>
  `${name} for ${inputShape.join('x')} images of ${classes} classes`;

const listed = (names: readonly string[]): string =>
  names.length > 3 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ');
