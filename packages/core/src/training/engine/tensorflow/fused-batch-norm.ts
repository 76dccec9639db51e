import type { BatchNorm, BatchNormOptions } from '../engine.js';
import type { TensorFlowRuntime } from './runtime.js';
import { type Place, slicing } from './slices.js';
import { type TensorFlowVariable, viewOf } from './tensors.js';

/** Batch norm, with the ReLU that may follow it, by the operations of packages/core/native. All return handles. */

/** @returns y, and what `batchNormGrad` wants back: the batch's mean and the inverse of its deviation. */
export function batchNormTrain(
  rt: TensorFlowRuntime,
  x: number,
  norm: BatchNorm,
  options: BatchNormOptions,
): { y: number; saved: readonly number[] } {
  const [y, mean, variance, ...saved] = batchNorm(rt, x, norm, options, true) as [number, number, number, ...number[]];
  (norm.runningMean as TensorFlowVariable).assignHandle(mean);
  (norm.runningVariance as TensorFlowVariable).assignHandle(variance);
  return { y, saved };
}

export function batchNormInfer(rt: TensorFlowRuntime, x: number, norm: BatchNorm, options: BatchNormOptions): number {
  const [y, ...unused] = batchNorm(rt, x, norm, options, false) as [number, ...number[]];
  for (const handle of unused) rt.delete(handle);
  return y;
}

function batchNorm(
  rt: TensorFlowRuntime,
  x: number,
  { scale, offset, runningMean, runningVariance }: BatchNorm,
  { relu, epsilon, momentum }: BatchNormOptions,
  training: boolean,
): number[] {
  const attributes = rt.attributes(`fused norm ${training} ${relu} ${epsilon} ${momentum}`, (attr) => [
    attr.float('epsilon', epsilon),
    attr.float('momentum', momentum),
    attr.bool('training', training),
    attr.bool('relu', relu),
  ]);
  return rt.run('NesgdBatchNorm', attributes, [x, ...[scale, offset, runningMean, runningVariance].map(viewOf)], 5);
}

/** The ReLU's gradient is taken in here, and needs no y: whether it let pass is computed again. */
export function batchNormGrad(
  rt: TensorFlowRuntime,
  dy: Place,
  x: Place,
  { scale, offset }: BatchNorm,
  saved: readonly number[],
  { relu }: BatchNormOptions,
): [dx: number, dScale: number, dOffset: number] {
  const inputs = [dy.handle, x.handle, viewOf(scale), viewOf(offset), ...saved];
  return rt.run('NesgdBatchNormGrad', slicing(rt, [dy, x], relu), inputs, 3) as [number, number, number];
}
