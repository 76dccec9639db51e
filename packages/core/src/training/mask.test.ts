import { describe, expect, it } from 'vitest';
import { MaskLengthError } from '../errors.js';
import { initialWeights } from './alpha.js';
import { applyMask } from './mask.js';
import { tinySpec, tinyWeights } from './test-support.js';

const spec = tinySpec(); // stem, layer1.0, layer1.1, layer2.0, head
const alpha = new Map(Array.from(tinyWeights(spec), ([name, values]) => [name, values.map((v) => v + 1)] as const));
const stream = [7, 'retrain', '10110', 0] as const;

describe('applyMask (Eq. 1)', () => {
  const masked = applyMask(spec, 'block', alpha, [1, 0, 1, 1, 0], stream);
  const blockOf = new Map(spec.parameters.map((p) => [p.name, p.block.block]));

  it('keeps blocks whose bit is 1, to the bit, statistics too', () => {
    for (const [name, values] of masked) {
      if (['stem', 'layer1.1', 'layer2.0'].includes(blockOf.get(name)!)) expect(values, name).toEqual(alpha.get(name));
    }
    expect(masked.size).toBe(alpha.size);
  });

  it('re-initialises blocks whose bit is 0 as a training from scratch would, batch norm with its statistics', () => {
    const fresh = initialWeights(spec, stream);
    for (const [name, values] of masked) {
      if (['layer1.0', 'head'].includes(blockOf.get(name)!)) expect(values, name).toEqual(fresh.get(name));
    }
    expect(masked.get('layer1.0.conv1.weight')).not.toEqual(alpha.get('layer1.0.conv1.weight'));
    expect(Array.from(masked.get('layer1.0.bn1.weight')!)).toEqual([1, 1, 1, 1]);
    expect(Array.from(masked.get('layer1.0.bn1.bias')!)).toEqual([0, 0, 0, 0]);
    expect(Array.from(masked.get('layer1.0.bn1.running_mean')!)).toEqual([0, 0, 0, 0]);
    expect(Array.from(masked.get('layer1.0.bn1.running_var')!)).toEqual([1, 1, 1, 1]);
  });

  it('draws the same for the same stream and other weights for another', () => {
    const again = applyMask(spec, 'block', alpha, [1, 0, 1, 1, 0], stream);
    const other = applyMask(spec, 'block', alpha, [1, 0, 1, 1, 0], [7, 'retrain', '10110', 1]);
    expect(again).toEqual(masked);
    expect(other.get('linear.weight')).not.toEqual(masked.get('linear.weight'));
  });

  it('leaves alpha as it was', () => {
    expect(alpha.get('layer1.0.bn1.weight')).toEqual(Float32Array.of(2, 2, 2, 2));
  });

  it('reaches single layers and whole stages at those granularities', () => {
    const layer = applyMask(spec, 'layer', alpha, [1, 1, 0, 1, 1, 1, 1, 1, 1], stream);
    expect(layer.get('layer1.0.conv2.weight')).not.toEqual(alpha.get('layer1.0.conv2.weight'));
    expect(layer.get('layer1.0.conv1.weight')).toEqual(alpha.get('layer1.0.conv1.weight'));
    const stage = applyMask(spec, 'stage', alpha, [1, 0, 1, 1], stream);
    expect(stage.get('layer1.1.conv2.weight')).not.toEqual(alpha.get('layer1.1.conv2.weight'));
    expect(stage.get('layer2.0.conv1.weight')).toEqual(alpha.get('layer2.0.conv1.weight'));
  });

  it('refuses a mask with a bit too many or too few', () => {
    for (const mask of [
      [1, 0, 1, 1],
      [1, 0, 1, 1, 0, 1],
    ] as const) {
      expect(() => applyMask(spec, 'block', alpha, mask, stream)).toThrow(MaskLengthError);
    }
  });
});

describe('fresh weights', () => {
  it('have the standard deviation of He et al. before a ReLU, and stay within bounds where PyTorch draws uniformly', () => {
    const wide = tinySpec([8, 8, 1000], 10);
    const stem = initialWeights(wide, [1]).get('conv1.weight')!; // 4 x 1000 x 3 x 3
    const std = Math.sqrt(stem.reduce((sum, v) => sum + v * v, 0) / stem.length);
    expect(std / Math.sqrt(2 / 9000)).toBeCloseTo(1, 1);
    const bias = initialWeights(wide, [1]).get('linear.bias')!;
    expect(Math.max(...bias.map(Math.abs))).toBeLessThanOrEqual(1 / Math.sqrt(6));
    expect(new Set(bias).size).toBe(10);
  });
});
