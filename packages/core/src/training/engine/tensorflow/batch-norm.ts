import type { TFEOpAttr } from '@tensorflow/tfjs-node-gpu/dist/tfjs_binding.js';
import type { BatchNorm, BatchNormOptions, Engine, Tensor } from '../engine.js';
import { relu } from './elementwise.js';
import * as fused from './fused-batch-norm.js';
import type { TensorFlowRuntime } from './runtime.js';
import { handleOf, placeOf, TensorFlowTensor, type TensorFlowVariable, viewOf } from './tensors.js';

export function batchNormTrain(
  rt: TensorFlowRuntime,
  x: Tensor,
  norm: BatchNorm,
  options: BatchNormOptions,
): ReturnType<Engine['batchNormTrain']> {
  const ofChannels = (handle: number) => new TensorFlowTensor(rt, handle, norm.scale.shape);
  if (rt.fused) {
    const { y, saved } = fused.batchNormTrain(rt, handleOf(x), norm, options);
    return { y: new TensorFlowTensor(rt, y, x.shape), saved: saved.map(ofChannels) };
  }
  const outputs = rt.run('FusedBatchNormV3', attributesOf(rt, 'train', options), inputsOf(x, norm), 6);
  const [y, mean, variance, ...saved] = outputs as [number, number, number, ...number[]];
  (norm.runningMean as TensorFlowVariable).assignHandle(mean);
  (norm.runningVariance as TensorFlowVariable).assignHandle(variance);
  return {
    y: new TensorFlowTensor(rt, options.relu ? relu(rt, y) : y, x.shape),
    saved: saved.map(ofChannels),
  };
}

export function batchNormGrad(
  rt: TensorFlowRuntime,
  dy: Tensor,
  x: Tensor,
  y: Tensor,
  norm: BatchNorm,
  saved: readonly Tensor[],
  options: BatchNormOptions,
): ReturnType<Engine['batchNormGrad']> {
  const gradients = (dx: number, dScale: number, dOffset: number) => ({
    dx: new TensorFlowTensor(rt, dx, x.shape),
    dScale: new TensorFlowTensor(rt, dScale, norm.scale.shape),
    dOffset: new TensorFlowTensor(rt, dOffset, norm.scale.shape),
  });
  if (rt.fused) {
    return gradients(...fused.batchNormGrad(rt, placeOf(dy), placeOf(x), norm, saved.map(handleOf), options));
  }
  const dNorm = options.relu ? rt.run1('ReluGrad', rt.float32, [handleOf(dy), handleOf(y)]) : handleOf(dy);
  const inputs = [dNorm, handleOf(x), viewOf(norm.scale), ...saved.map(handleOf)];
  const outputs = rt.run('FusedBatchNormGradV3', attributesOf(rt, 'grad', options), inputs, 5);
  const [dx, dScale, dOffset, ...unused] = outputs as [number, number, number, number, number];
  for (const handle of unused) rt.delete(handle);
  if (options.relu) rt.delete(dNorm);
  return gradients(dx, dScale, dOffset);
}

export function batchNormInfer(rt: TensorFlowRuntime, x: Tensor, norm: BatchNorm, options: BatchNormOptions): Tensor {
  if (rt.fused) return new TensorFlowTensor(rt, fused.batchNormInfer(rt, handleOf(x), norm, options), x.shape);
  const outputs = rt.run('FusedBatchNormV3', attributesOf(rt, 'infer', options), inputsOf(x, norm), 6);
  const [y, ...unused] = outputs as [number, ...number[]];
  for (const handle of unused) rt.delete(handle);
  return new TensorFlowTensor(rt, options.relu ? relu(rt, y) : y, x.shape);
}

const inputsOf = (x: Tensor, norm: BatchNorm): number[] => [
  handleOf(x),
  viewOf(norm.scale),
  viewOf(norm.offset),
  viewOf(norm.runningMean),
  viewOf(norm.runningVariance),
];

function attributesOf(
  rt: TensorFlowRuntime,
  mode: 'train' | 'grad' | 'infer',
  { epsilon, momentum }: BatchNormOptions,
): TFEOpAttr[] {
  return rt.attributes(`norm ${mode} ${epsilon} ${momentum}`, (attr) => [
    attr.float32('T'),
    attr.float32('U'),
    attr.float('epsilon', epsilon),
    attr.string('data_format', 'NHWC'),
    attr.bool('is_training', mode !== 'infer'),
    ...(mode === 'train' ? [attr.float('exponential_avg_factor', momentum)] : []),
  ]);
}
