import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { rngAt } from '../../../evolution/rng.js';
import { bindingPlace } from '../../../runtime/tensorflow.js';
import { createTensorFlowEngine } from './index.js';

const atOnce = createTensorFlowEngine(1);
const asOnCard = createTensorFlowEngine(1, { plain: true });

describe('the loss as a card computes it', () => {
  it.each([
    [128, 10],
    [7, 100],
    [1, 2],
  ])('%i images of %i classes: the values and gradients of the operation that a card refuses, to rounding', (n, c) => {
    const values = rngAt(1, 'logits', n).fillNormal(new Float32Array(n * c), 5);
    const classes = Int32Array.from({ length: n }, (_, i) => (7 * i) % c);
    const [a, b] = [atOnce, asOnCard].map((engine) => {
      const before = engine.memory().tensors;
      const [logits, labels] = [engine.tensor(values, [n, c]), engine.labels(classes)];
      const { loss, dLogits } = engine.softmaxCrossEntropy(logits, labels);
      const read = { loss: engine.read(loss), dLogits: engine.read(dLogits) };
      for (const tensor of [logits, labels, loss, dLogits]) tensor.dispose();
      expect(engine.memory().tensors).toBe(before);
      return read;
    });
    for (const [i, loss] of a!.loss.entries()) expect(b!.loss[i]).toBeCloseTo(loss, 5);
    for (const [i, slope] of a!.dLogits.entries()) expect(b!.dLogits[i]).toBeCloseTo(slope, 7);
  });
});

describe("a process's share of a card's memory", () => {
  /** TensorFlow's context is made when the binding loads. */
  const load = (share: string) =>
    spawnSync(process.execPath, ['-e', 'process.stdout.write(require(process.argv[1]).TF_Version)', bindingPlace()!], {
      env: { ...process.env, NESGD_CARD_MEMORY_SHARE: share },
      encoding: 'utf8',
    });

  it('is a setting that TensorFlow takes', () => expect(load('0.45')).toMatchObject({ status: 0, stdout: '2.21.0' }));

  it.each(['0', '1.5', 'half', '0.5x'])('%s is refused with what would be right', (share) => {
    const { status, stderr } = load(share);
    expect(status).toBe(1);
    expect(stderr).toContain(`NESGD_CARD_MEMORY_SHARE is ${share}: wants a number above 0 and at most 1`);
  });
});
