/**
 * What `packages/core/wasm-kernels` exports; its sources say what each does. Arguments are addresses of float32 in the
 * backend's memory, sizes, and booleans as 0 or 1.
 */
export interface Kernels {
  moments(x: number, rows: number, channels: number, mean: number, variance: number, sums: number): void;
  columnSums(x: number, rows: number, channels: number, out: number, sums: number): void;
  normalise(
    ...args: [
      ...[x: number, y: number, rows: number, channels: number],
      ...[mean: number, factor: number, offset: number, rectify: number],
    ]
  ): void;
  normGradSums(
    ...args: [
      ...[dy: number, x: number, y: number, rows: number, channels: number, mean: number, inverse: number],
      ...[dScale: number, dOffset: number, sums: number, rectify: number],
    ]
  ): void;
  normGradInput(
    ...args: [
      ...[dy: number, x: number, y: number, dx: number, rows: number, channels: number],
      ...[mean: number, factor: number, meanGrad: number, slope: number, rectify: number],
    ]
  ): void;
  reverseTaps(
    ...args: [
      ...[kernel: number, out: number, kW: number, cIn: number, cOut: number],
      ...[stride: number, fromY: number, fromX: number, ny: number, nx: number],
    ]
  ): void;
  spreadPhase(
    ...args: [
      ...[src: number, dst: number, n: number, srcH: number, srcW: number, h: number, w: number, channels: number],
      ...[stride: number, fromY: number, fromX: number, skipY: number, skipX: number],
    ]
  ): void;
  convGradKernelScratch(
    ...args: [
      ...[h: number, w: number, cIn: number, ho: number, wo: number, cOut: number],
      ...[kH: number, kW: number, padding: number, chunk: number],
    ]
  ): number;
  convGradKernel(
    ...args: [
      ...[x: number, dy: number, out: number, scratch: number, n: number],
      ...[h: number, w: number, cIn: number, ho: number, wo: number, cOut: number],
      ...[kH: number, kW: number, stride: number, padding: number, chunk: number],
    ]
  ): void;
  sum(a: number, b: number, out: number, size: number, rectify: number): void;
  reluGrad(dy: number, y: number, out: number, size: number): void;
  addBias(x: number, bias: number, out: number, rows: number, channels: number): void;
  sgd(
    ...args: [
      ...[weight: number, velocity: number, gradient: number, out: number, size: number],
      ...[rate: number, momentum: number, decay: number],
    ]
  ): void;
  globalAvgPool(x: number, out: number, images: number, pixels: number, channels: number): void;
  globalAvgPoolGrad(dy: number, out: number, images: number, pixels: number, channels: number): void;
}
