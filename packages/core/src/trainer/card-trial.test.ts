import { describe, expect, it } from 'vitest';
import { describeTrial, faultOf, runTrial } from './card-trial.js';

describe("a card's trial", () => {
  it('on a processor, in a process of its own: the same bits twice, and again', async () => {
    const [one, other] = await Promise.all([runTrial('cpu', process.env), runTrial('cpu', process.env)]);
    expect(one).toMatchObject({ isRepeatable: true, digest: other.digest, engine: expect.stringContaining('CPU') });
    expect(one.logits).toHaveLength(160);
    expect(faultOf(one, other)).toBeUndefined();
    expect(describeTrial(one, other)).toBe('trains as the processor does (to 0e+0), to the same bits twice');

    const wrong = one.logits.map((value, i) => (i === 7 ? value + 0.1 : value));
    expect(faultOf({ ...one, logits: wrong }, other)).toMatch(/comes out otherwise than on the processor/);
    expect(faultOf({ ...one, logits: one.logits.map(() => Number.NaN) }, other)).toMatch(/otherwise/);
    expect(faultOf({ ...one, isRepeatable: false }, other)).toMatch(/not give the same bits twice/);
  });

  it('without a card it says so', async () => {
    const env = { ...process.env, CUDA_VISIBLE_DEVICES: '-1' };
    await expect(runTrial('gpu', env)).rejects.toThrow(/the job is for a card \(GPU\), and TensorFlow finds none/);
  });
});
