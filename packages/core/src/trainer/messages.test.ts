import { describe, expect, it } from 'vitest';
import { ORDINARY_MEANS } from '../protocol/index.js';
import { loadTensorFlow } from '../training/engine/tensorflow/runtime.js';
import { errorToMessage } from './messages.js';

describe('out of memory', () => {
  it("TensorFlow's own error is not retried, and says what would help", () => {
    const rt = loadTensorFlow(1, ORDINARY_MEANS);
    const attributes = [rt.attr.float32('T'), rt.attr.int32('index_type')];
    let thrown: unknown;
    try {
      rt.run1('Fill', attributes, [rt.ints([2 ** 24, 2 ** 24]), rt.scalar(0)]); // 1 PiB, which no address space has
    } catch (error) {
      thrown = error;
    }
    expect(errorToMessage(thrown)).toEqual({
      code: 'OUT_OF_MEMORY',
      message: expect.stringMatching(
        /^a training does not fit into the memory of this machine \(OOM when allocating tensor with shape\[16777216,16777216\].*\): start a run with a smaller alpha\.batchSize and retrain\.batchSize, or give fewer workers \(--workers\)$/,
      ),
      retryable: false,
      input: false,
    });
  });

  it.each([
    'Invalid TF_Status: 8\nMessage: OOM when allocating tensor with shape[128,64,32,32] and type float on /job:localhost/replica:0/task:0/device:GPU:0 by allocator GPU_0_bfc',
    'E0000 cuda_driver.cc:1000] failed to allocate 2.00GiB from device: CUDA_ERROR_OUT_OF_MEMORY: out of memory',
    'Invalid TF_Status: 13\nMessage: cuDNN: CUDNN_STATUS_ALLOC_FAILED',
  ])('on a card the advice is about trainers on the card: %s', (said) => {
    expect(errorToMessage(new Error(said))).toMatchObject({
      code: 'OUT_OF_MEMORY',
      message: expect.stringMatching(/memory of the card .*--workers-per-device/),
      retryable: false,
    });
  });

  it("a process's own, grown over many jobs, may do better in a new process", () => {
    const { code, retryable } = errorToMessage(new RangeError('Array buffer allocation failed'));
    expect({ code, retryable }).toEqual({ code: 'TRAINER_MEMORY', retryable: true });
  });
});
