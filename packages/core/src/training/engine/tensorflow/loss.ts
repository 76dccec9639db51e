import type { Engine, Tensor } from '../engine.js';
import type { TensorFlowRuntime } from './runtime.js';
import { handleOf, TensorFlowTensor } from './tensors.js';

export function softmaxCrossEntropy(
  rt: TensorFlowRuntime,
  logits: Tensor,
  labels: Tensor,
): ReturnType<Engine['softmaxCrossEntropy']> {
  const [n, classes] = logits.shape as [number, number];
  const of = rt.asOnCard ? inSteps(rt, logits, labels, classes) : atOnce(rt, logits, labels);
  // Its gradient is that of the sum over images.
  const dLogits = rt.run1('Mul', rt.float32, [of.dSum, rt.scalar(1 / n)]);
  rt.delete(of.dSum);
  return {
    loss: new TensorFlowTensor(rt, of.loss, [n]),
    dLogits: new TensorFlowTensor(rt, dLogits, logits.shape),
  };
}

/** Handles: of the loss of each image, and of the gradient of their sum. */
interface Losses {
  readonly loss: number;
  readonly dSum: number;
}

function atOnce(rt: TensorFlowRuntime, logits: Tensor, labels: Tensor): Losses {
  const attributes = rt.attributes('softmax', (attr) => [attr.float32('T'), attr.int32('Tlabels')]);
  const inputs = [handleOf(logits), handleOf(labels)];
  const [loss, dSum] = rt.run('SparseSoftmaxCrossEntropyWithLogits', attributes, inputs, 2) as [number, number];
  return { loss, dSum };
}

/** By operations that have an order of sums on a card; the one for all refuses to run there (decision 0235). */
function inSteps(rt: TensorFlowRuntime, logits: Tensor, labels: Tensor, classes: number): Losses {
  const logs = rt.run1('LogSoftmax', rt.float32, [handleOf(logits)]);
  const encoding = rt.attributes('one hot', (attr) => [attr.float32('T'), attr.int32('TI'), attr.int('axis', -1)]);
  // -1 for an image's class, else 0.
  const minusOne = rt.run1('OneHot', encoding, [handleOf(labels), rt.ints([classes], []), rt.scalar(-1), rt.scalar(0)]);
  const chosen = rt.run1('Mul', rt.float32, [minusOne, logs]);
  const summing = rt.attributes('sum', (attr) => [
    attr.float32('T'),
    attr.int32('Tidx'),
    attr.bool('keep_dims', false),
  ]);
  const loss = rt.run1('Sum', summing, [chosen, rt.ints([1])]);
  const probabilities = rt.run1('Exp', rt.float32, [logs]);
  const dSum = rt.run1('AddV2', rt.float32, [probabilities, minusOne]);
  for (const handle of [logs, minusOne, chosen, probabilities]) rt.delete(handle);
  return { loss, dSum };
}
