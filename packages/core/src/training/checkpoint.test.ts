import { describe, expect, it } from 'vitest';
import { CheckpointError } from '../errors.js';
import { checkCheckpoint, readCheckpoint, writeCheckpoint } from './checkpoint.js';
import { modelSpec } from './models/index.js';
import { formatSafetensors, parseSafetensors } from './safetensors.js';
import { tinySpec, tinyWeights } from './test-support.js';

const spec = tinySpec();
const weights = tinyWeights(spec);
const tensors = () =>
  new Map(spec.parameters.map(({ name, shape }) => [name, { shape, values: weights.get(name)! }] as const));

describe('checkpoint', () => {
  it('gives back the weights that it was made from', () => {
    expect(readCheckpoint(writeCheckpoint(spec, weights), spec, 'test')).toEqual(weights);
  });

  it('has the same bytes for the same weights, in whatever order they come', () => {
    const reversed = new Map([...weights].reverse());
    expect(writeCheckpoint(spec, reversed)).toEqual(writeCheckpoint(spec, weights));
  });

  it('says what outputs and inputs mean, and lets nothing else stand for its model', () => {
    const meaning = { classNames: ['"', 'b', '猫'], normalisation: { mean: [0.5], std: [0.25] } };
    const file = writeCheckpoint(spec, weights, meaning, { run: 'r', model: 'another' });
    expect(readCheckpoint(file, spec, 'test')).toEqual(weights);
    expect(parseSafetensors(file, 'test').metadata).toMatchObject({
      class_names: '["\\"","b","猫"]',
      mean: '[0.5]',
      std: '[0.25]',
      run: 'r',
    });
  });

  it('may come from PyTorch: no metadata, and batches counted', () => {
    const counted = tensors().set('bn1.num_batches_tracked', { shape: [], values: Float32Array.of(5) });
    expect(readCheckpoint(formatSafetensors(counted, {}), spec, 'test')).toEqual(weights);
  });

  const changed = (name: string, change: (values: Float32Array) => void) => {
    const values = weights.get(name)!.slice();
    change(values);
    return formatSafetensors(
      tensors().set(name, { shape: spec.parameters.find((p) => p.name === name)!.shape, values }),
      {},
    );
  };
  const without = (name: string) => {
    const rest = tensors();
    rest.delete(name);
    return formatSafetensors(rest, {});
  };
  it.each([
    [
      'another model by its metadata',
      writeCheckpoint(tinySpec([8, 8, 1], 4), weights),
      /holds tiny for 8x8x1 images of 4 classes, and tiny for 8x8x1 images of 3 classes is wanted/,
    ],
    ['a parameter missing', without('layer1.0.conv1.weight'), /lacks layer1\.0\.conv1\.weight/],
    [
      'a parameter too many',
      formatSafetensors(tensors().set('x', { shape: [1], values: Float32Array.of(1) }), {}),
      /has x, which/,
    ],
    [
      'another shape',
      formatSafetensors(tensors().set('linear.bias', { shape: [4], values: new Float32Array(4) }), {}),
      /linear\.bias has shape \[4\], and \[3\] is wanted/,
    ],
    [
      'a shape that its bytes do not fill',
      formatSafetensors(tensors().set('linear.bias', { shape: [3], values: new Float32Array(4) }), {}),
      /linear\.bias takes 16 bytes, and its shape wants 12/,
    ],
    ['NaN', changed('conv1.weight', (v) => v.fill(Number.NaN, 5, 6)), /value 5 of conv1\.weight is NaN/],
    ['an infinity', changed('linear.weight', (v) => v.fill(Number.POSITIVE_INFINITY)), /linear\.weight is Infinity/],
    ['a negative variance', changed('bn1.running_var', (v) => v.fill(-1)), /bn1\.running_var has a variance below 0/],
  ])('refuses %s', (_what, file, message) => {
    const read = () => readCheckpoint(file, spec, 'alpha.safetensors');
    expect(read).toThrow(CheckpointError);
    expect(read).toThrow(message);
  });

  it('refuses another dtype', () => {
    const file = Buffer.from(formatSafetensors(tensors(), {}));
    file.write('F16', file.indexOf('F32'), 'latin1');
    expect(() => readCheckpoint(file, spec, 'test')).toThrow(/dtype F16, and F32 is wanted/);
  });

  it('checkCheckpoint: takes a file of the experiment’s network and refuses one of another', () => {
    const resnet8 = modelSpec('resnet8', [28, 28, 1], 10);
    const file = writeCheckpoint(resnet8, tinyWeights(resnet8));
    const wanted = { imageShape: [28, 28, 1], classes: 10, source: 'a.safetensors' } as const;
    checkCheckpoint(file, { ...wanted, model: { name: 'resnet8', granularity: 'block' } });
    expect(() => checkCheckpoint(file, { ...wanted, model: { name: 'resnet14', granularity: 'block' } })).toThrow(
      /^a\.safetensors is no usable checkpoint: it holds resnet8 .* and resnet14 .* is wanted$/,
    );
  });
});
