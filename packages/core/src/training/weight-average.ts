import { setImmediate as turnOfTheEventLoop } from 'node:timers/promises';
import { batchesOf, epochAugmentation, epochOrder } from '../datasets/index.js';
import { rngAt } from '../evolution/rng.js';
import { statisticsImages } from '../protocol/index.js';
import { BATCH_NORM } from './layers.js';
import { sizeOf } from './models/index.js';
import type { Network } from './network.js';
import type { Training, Watch } from './train.js';
import { batchOf } from './training-data.js';
import type { Average } from './training-state.js';
import type { Weights } from './weights.js';

/** A mean with one more epoch in it: single precision throughout, so that a state that was stored goes on to the same bits. */
export function meanWith(average: Average | undefined, weights: Weights): Average {
  if (!average) return { weights, epochs: 1 };
  const epochs = average.epochs + 1;
  const mean = new Map(
    Array.from(weights, ([name, values]) => {
      const before = average.weights.get(name)!;
      return [name, values.map((value, i) => before[i]! + (value - before[i]!) / epochs)] as const;
    }),
  );
  return { weights: mean, epochs };
}

/**
 * Gives batch norm the statistics that averaged weights have: they are not the average of the statistics. Izmailov,
 * Podoprikhin, Garipov, Vetrov and Wilson (2018, "Averaging Weights Leads to Wider Optima and Better Generalization",
 * Algorithm 1) pass over the data once more; here over at most 2,500 of the training images, augmented as in training.
 * The result is the mean over the batches, as PyTorch's `update_bn` has it.
 * @returns the images it took.
 */
export async function takeStatistics(
  network: Network,
  { data, settings, stream }: Pick<Training, 'data' | 'settings' | 'stream'>,
  { signal, onStep }: Pick<Watch, 'signal' | 'onStep'>,
): Promise<number> {
  const { engine, spec } = network;
  const epoch = settings.epochs + 1; // Draws that no epoch of the training had.
  const count = statisticsImages(settings, settings.epochs, data.partition.train.length);
  const order = epochOrder(data.partition.train, stream, epoch).subarray(0, count);
  const augmentation = epochAugmentation(data.augmentation, stream, epoch);
  const statistics = spec.parameters
    .filter(({ trainable }) => !trainable)
    .map(({ name, shape }) => ({ variable: network.variable(name), sum: new Float64Array(sizeOf(shape)) }));
  let batches = 0;
  for (const batch of batchesOf(order, settings.batchSize)) {
    await turnOfTheEventLoop();
    signal?.throwIfAborted();
    // From zero a running statistic moves to the batch's times its weight.
    for (const { variable, sum } of statistics) engine.assign(variable, new Float32Array(sum.length));
    const { pixels } = batchOf(data.train, batch, augmentation);
    const x = engine.tensor(pixels, [batch.length, ...spec.inputShape]);
    network.observe(x, rngAt(...stream, 'statistics', batches));
    x.dispose();
    for (const { variable, sum } of statistics) {
      const moved = engine.read(variable);
      for (let i = 0; i < sum.length; i++) sum[i]! += moved[i]! / BATCH_NORM.momentum;
    }
    batches += 1;
    onStep?.();
  }
  for (const { variable, sum } of statistics)
    engine.assign(
      variable,
      Float32Array.from(sum, (s) => s / batches),
    );
  return count;
}
