import type { Fact } from '@nesgd/core/run';
import { describe, expect, it } from 'vitest';
import { expectedAndMeasured } from './expectation.js';

const evaluated = (accuracy: number): Fact => ({
  type: 'evaluated',
  mask: '1',
  repeat: 0,
  accuracy,
  curve: [],
  weights: null,
  imagesTrained: 1,
});
const tested = (which: 'alpha' | 'best', accuracy: number): Fact => ({
  type: 'tested',
  which,
  weights: 'a'.repeat(64),
  accuracy,
});

describe('expectedAndMeasured', () => {
  it('puts the networks’ test accuracies and the population’s numbers beside the published ones', () => {
    const facts = [evaluated(0.5), evaluated(0.7), evaluated(0.6), tested('alpha', 0.55), tested('best', 0.65)];
    const expectation = { source: 'Table II', testAccuracy: 0.9, sgdTestAccuracy: 0.8, median: 0.7, maximum: 0.95 };
    expect(expectedAndMeasured(expectation, facts)).toEqual({
      source: 'Table II',
      figures: [
        { name: 'testAccuracy', published: 0.9, measured: 0.65 },
        { name: 'sgdTestAccuracy', published: 0.8, measured: 0.55 },
        { name: 'median', published: 0.7, measured: 0.6 },
        { name: 'maximum', published: 0.95, measured: 0.7 },
      ],
    });
    const spread = expectedAndMeasured({ source: 'Table VI', standardDeviation: 0.01 }, facts);
    expect(spread!.figures[0]!.measured).toBeCloseTo(0.1, 12);
  });

  it('is null without an expectation, and says null where the run measured nothing of the kind', () => {
    expect(expectedAndMeasured(undefined, [evaluated(0.5)])).toBeNull();
    const [sgd] = expectedAndMeasured({ source: 'x', sgdTestAccuracy: 0.8 }, [tested('best', 0.6)])!.figures;
    expect(sgd!.measured).toBeNull();
  });
});
