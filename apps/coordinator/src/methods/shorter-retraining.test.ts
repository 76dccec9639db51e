import { type JournalLine, type OpenedFact, parseExperiment } from '@nesgd/core/run';
import { describe, expect, it } from 'vitest';
import { retrainingEpochs, stopRule } from './shorter-retraining.js';

const experiment = (evolution: Record<string, unknown>, epochs = 10) =>
  parseExperiment(
    {
      name: 'x',
      seed: 1,
      dataset: { name: 'mnist' },
      model: { name: 'resnet8' },
      alpha: { epochs: 1, learningRate: 0.1 },
      retrain: { epochs, learningRateRetained: 0.01, learningRateReinitialised: 0.1 },
      evolution: { populationSize: 4, generations: 4, ...evolution },
    },
    'the test',
  );

describe('retrainingEpochs', () => {
  it('grows from firstEpochs to retrain.epochs in the last generation, and stays there', () => {
    const grows = experiment({ firstEpochs: 2 });
    expect([0, 1, 2, 3, 4, 5, 9].map((t) => retrainingEpochs(grows, t))).toEqual([2, 4, 6, 8, 10, 10, 10]);
    expect(retrainingEpochs(experiment({}), 0)).toBe(10);
    expect(() => experiment({ firstEpochs: 11 })).toThrow(/evolution.firstEpochs/);
  });
});

describe('stopRule', () => {
  const evaluated = (...accuracies: number[]) => ({
    type: 'evaluated' as const,
    mask: '1',
    repeat: 0,
    accuracy: accuracies.at(-1)!,
    curve: accuracies.map((accuracy, i) => ({ epoch: i + 1, trainLoss: 1, accuracy })),
    weights: null,
    imagesTrained: 1,
  });
  const generation = { type: 'generation' };
  const ruleOf = (evolution: Record<string, unknown>, facts: readonly object[]) =>
    stopRule({
      opened: { experiment: experiment(evolution, 4) } as OpenedFact,
      journal: { lines: facts.map((fact) => ({ fact })) as JournalLine[] },
    });
  const first = [
    evaluated(0.1, 0.2, 0.3, 0.4),
    evaluated(0.3, 0.4, 0.5, 0.6),
    evaluated(0.2, 0.6, 0.7, 0.8),
    generation,
  ];

  it('holds a retraining against the median at its rungs of closed generations, and of nobody in the open one', () => {
    const open = [...first, evaluated(0.9, 0.9, 0.9, 0.9)];
    expect(ruleOf({ stopBelowMedian: [0.25, 0.5] }, open)).toEqual({
      stopBelow: [
        { epoch: 1, accuracy: 0.2 },
        { epoch: 2, accuracy: 0.4 },
      ],
    });
    // Who was ended at a rung counts at that rung and at none after it.
    const later = [...first, evaluated(0.05), generation];
    expect(ruleOf({ stopBelowMedian: [0.25, 0.5] }, later).stopBelow).toMatchObject([
      { epoch: 1 },
      { epoch: 2, accuracy: 0.4 },
    ]);
    expect(ruleOf({ stopBelowMedian: [0.25] }, later).stopBelow![0]!.accuracy).toBeCloseTo(0.15, 12);
  });

  it('is none where it is off, in generation 0, and at the last epoch, which ends anyway', () => {
    expect(ruleOf({}, first)).toEqual({});
    expect(ruleOf({ stopBelowMedian: [0.5] }, [evaluated(0.1, 0.2)])).toEqual({});
    expect(ruleOf({ stopBelowMedian: [0.99] }, first)).toEqual({});
  });
});
