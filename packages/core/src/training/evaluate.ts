import { setImmediate as turnOfTheEventLoop } from 'node:timers/promises';
import { type BatchSource, batchesOf } from '../datasets/index.js';
import type { Network } from './network.js';
import type { Watch } from './train.js';
import { batchOf } from './training-data.js';

/** Images of one forward pass. Part of what the last bits of the logits depend on, hence no setting. */
const BATCH_SIZE = 256;

/**
 * Share of the images whose largest logit is that of their class, in eval mode and without augmentation. Logits that
 * are not numbers are wrong: a network that diverged scores 0, not the share of some class.
 * @param indices positions in `source`, at least one.
 * @throws the signal's reason once it is aborted.
 */
export async function accuracyOf(
  network: Network,
  source: BatchSource,
  indices: Int32Array,
  { signal, onStep }: Pick<Watch, 'signal' | 'onStep'> = {},
): Promise<number> {
  const { engine, spec } = network;
  let right = 0;
  for (const batch of batchesOf(indices, BATCH_SIZE)) {
    await turnOfTheEventLoop();
    signal?.throwIfAborted();
    const { pixels, labels } = batchOf(source, batch);
    const x = engine.tensor(pixels, [batch.length, ...spec.inputShape]);
    const output = network.logits(x);
    const logits = engine.read(output);
    output.dispose();
    x.dispose();
    onStep?.();
    for (const [n, label] of labels.entries()) {
      if (argMax(logits.subarray(n * spec.classes, (n + 1) * spec.classes)) === label) right++;
    }
  }
  return right / indices.length;
}

/** The first position of the largest value; -1 where a value is NaN. */
export function argMax(values: Float32Array): number {
  let best = 0;
  for (const [i, value] of values.entries()) {
    if (Number.isNaN(value)) return -1;
    if (value > values[best]!) best = i;
  }
  return best;
}
