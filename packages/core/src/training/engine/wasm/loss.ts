import type { Engine, Tensor } from '../engine.js';
import type { WasmRuntime } from './runtime.js';
import { pointerOf, WasmTensor } from './tensors.js';

/** In JavaScript: a batch has few logits, and there is no exponential to call. Sums are in double precision. */
export function softmaxCrossEntropy(
  rt: WasmRuntime,
  logits: Tensor,
  labels: Tensor,
): ReturnType<Engine['softmaxCrossEntropy']> {
  const [n, classes] = logits.shape as [number, number];
  const loss = rt.allocate([n]);
  const dLogits = rt.allocate([n, classes]);
  const losses = rt.floats(loss.pointer, n);
  const all = rt.floats(pointerOf(logits), n * classes);
  const gradients = rt.floats(dLogits.pointer, n * classes);
  for (const [i, label] of rt.ints(pointerOf(labels), n).entries()) {
    const row = all.subarray(i * classes, (i + 1) * classes);
    const largest = row.reduce((a, b) => Math.max(a, b));
    const sum = row.reduce((total, z) => total + Math.exp(z - largest), 0);
    losses[i] = Math.log(sum) + largest - row[label]!;
    for (const [c, z] of row.entries()) {
      gradients[i * classes + c] = (Math.exp(z - largest) / sum - (c === label ? 1 : 0)) / n;
    }
  }
  return { loss: new WasmTensor(rt, loss, [n]), dLogits: new WasmTensor(rt, dLogits, logits.shape) };
}
