import type { BatchNorm, BatchNormOptions, Engine, Tensor } from '../engine.js';
import type { WasmRuntime } from './runtime.js';
import { pointerOf, storageOf, WasmTensor } from './tensors.js';

const FLOAT = 4;
const DOUBLE = 8;

/** Saves the batch's mean and 1 / standard deviation, `[C]` each. */
export function batchNormTrain(
  rt: WasmRuntime,
  x: Tensor,
  norm: BatchNorm,
  options: BatchNormOptions,
): ReturnType<Engine['batchNormTrain']> {
  const { rows, channels } = sizesOf(x);
  const mean = rt.allocate([channels]);
  const inverse = rt.allocate([channels]);
  const scratch = rt.scratch(channels * (2 * DOUBLE + FLOAT));
  const sums = scratch;
  const variance = scratch + channels * 2 * DOUBLE;
  rt.kernels.moments(pointerOf(x), rows, channels, mean.pointer, variance, sums);
  moveRunning(rt, norm, rt.floats(mean.pointer, channels), rt.floats(variance, channels), rows, options.momentum);
  const inverses = rt.floats(inverse.pointer, channels);
  for (const [c, v] of rt.floats(variance, channels).entries()) inverses[c] = 1 / Math.sqrt(v + options.epsilon);
  return {
    y: normalise(rt, x, mean.pointer, inverse.pointer, norm, options.relu),
    saved: [new WasmTensor(rt, mean, [channels]), new WasmTensor(rt, inverse, [channels])],
  };
}

export function batchNormInfer(rt: WasmRuntime, x: Tensor, norm: BatchNorm, options: BatchNormOptions): Tensor {
  const { channels } = sizesOf(x);
  const inverse = rt.allocate([channels]);
  const inverses = rt.floats(inverse.pointer, channels);
  const variances = rt.floats(pointerOf(norm.runningVariance), channels);
  for (const [c, v] of variances.entries()) inverses[c] = 1 / Math.sqrt(v + options.epsilon);
  const y = normalise(rt, x, pointerOf(norm.runningMean), inverse.pointer, norm, options.relu);
  rt.free(inverse);
  return y;
}

export function batchNormGrad(
  rt: WasmRuntime,
  dy: Tensor,
  x: Tensor,
  y: Tensor,
  norm: BatchNorm,
  saved: readonly Tensor[],
  { relu }: BatchNormOptions,
): ReturnType<Engine['batchNormGrad']> {
  const { rows, channels } = sizesOf(x);
  const [mean, inverse] = saved.map(pointerOf) as [number, number];
  const dx = rt.allocate(x.shape);
  const dScale = rt.allocate([channels]);
  const dOffset = rt.allocate([channels]);
  // `y` may be gone where no ReLU asks for it.
  const gated = [pointerOf(dy), pointerOf(x), relu ? pointerOf(y) : 0] as const;
  const scratch = rt.scratch(channels * (2 * DOUBLE + 3 * FLOAT));
  const sums = scratch;
  const factor = scratch + channels * 2 * DOUBLE;
  const meanGrad = factor + channels * FLOAT;
  const slope = meanGrad + channels * FLOAT;
  const { normGradSums, normGradInput } = rt.kernels;
  normGradSums(...gated, rows, channels, mean, inverse, dScale.pointer, dOffset.pointer, sums, Number(relu));
  const of = (pointer: number) => rt.floats(pointer, channels);
  const [factors, meanGrads, slopes] = [of(factor), of(meanGrad), of(slope)];
  const [scales, inverses] = [of(pointerOf(norm.scale)), of(inverse)];
  const [dScales, dOffsets] = [of(dScale.pointer), of(dOffset.pointer)];
  for (let c = 0; c < channels; c++) {
    factors[c] = scales[c]! * inverses[c]!;
    meanGrads[c] = dOffsets[c]! / rows;
    slopes[c] = (dScales[c]! * inverses[c]!) / rows;
  }
  normGradInput(...gated, dx.pointer, rows, channels, mean, factor, meanGrad, slope, Number(relu));
  return {
    dx: new WasmTensor(rt, dx, x.shape),
    dScale: new WasmTensor(rt, dScale, [channels]),
    dOffset: new WasmTensor(rt, dOffset, [channels]),
  };
}

function sizesOf(x: Tensor): { rows: number; channels: number } {
  const channels = x.shape.at(-1)!;
  return { rows: x.shape.slice(0, -1).reduce((product, length) => product * length, 1), channels };
}

/** @param mean pointer, `[C]`; `inverse` likewise: 1 / standard deviation. */
function normalise(
  rt: WasmRuntime,
  x: Tensor,
  mean: number,
  inverse: number,
  norm: BatchNorm,
  relu: boolean,
): WasmTensor {
  const { rows, channels } = sizesOf(x);
  const y = rt.allocate(x.shape);
  const factor = rt.scratch(channels * FLOAT);
  const factors = rt.floats(factor, channels);
  const scales = rt.floats(pointerOf(norm.scale), channels);
  const inverses = rt.floats(inverse, channels);
  for (let c = 0; c < channels; c++) factors[c] = scales[c]! * inverses[c]!;
  const offset = pointerOf(norm.offset);
  rt.kernels.normalise(pointerOf(x), y.pointer, rows, channels, mean, factor, offset, Number(relu));
  return new WasmTensor(rt, y, x.shape);
}

function moveRunning(
  rt: WasmRuntime,
  norm: BatchNorm,
  mean: Float32Array,
  variance: Float32Array,
  rows: number,
  momentum: number,
): void {
  const bessel = rows / Math.max(1, rows - 1);
  // In place: no convolution reads these.
  const running = rt.floats(pointerOf(norm.runningMean), mean.length);
  const runningVariance = rt.floats(storageOf(norm.runningVariance).pointer, mean.length);
  for (let c = 0; c < mean.length; c++) {
    running[c] = (1 - momentum) * running[c]! + momentum * mean[c]!;
    runningVariance[c] = (1 - momentum) * runningVariance[c]! + momentum * variance[c]! * bessel;
  }
}
