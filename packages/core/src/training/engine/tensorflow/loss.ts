import type { Engine, Tensor } from '../engine.js';
import type { TensorFlowRuntime } from './runtime.js';
import { handleOf, TensorFlowTensor } from './tensors.js';

export function softmaxCrossEntropy(
  rt: TensorFlowRuntime,
  logits: Tensor,
  labels: Tensor,
): ReturnType<Engine['softmaxCrossEntropy']> {
  const n = logits.shape[0]!;
  const attributes = rt.attributes('softmax', (attr) => [attr.float32('T'), attr.int32('Tlabels')]);
  const inputs = [handleOf(logits), handleOf(labels)];
  // Its gradient is that of the sum over images.
  const [loss, dSum] = rt.run('SparseSoftmaxCrossEntropyWithLogits', attributes, inputs, 2) as [number, number];
  const dLogits = rt.run1('Mul', rt.float32, [dSum, rt.scalar(1 / n)]);
  rt.delete(dSum);
  return {
    loss: new TensorFlowTensor(rt, loss, [n]),
    dLogits: new TensorFlowTensor(rt, dLogits, logits.shape),
  };
}
