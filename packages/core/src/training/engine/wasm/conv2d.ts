import type { ConvGeometry, Shape, Tensor, Variable } from '../engine.js';
import type { Storage, WasmRuntime } from './runtime.js';
import { pointerOf, storageOf, WasmTensor } from './tensors.js';

type Shape4 = readonly [number, number, number, number];

/** This and its gradients are of one group, whatever the geometry says: `grouped-conv2d.ts` calls them group by group. */
export function conv2d(rt: WasmRuntime, x: Tensor, kernel: Variable, geometry: ConvGeometry): Tensor {
  const { stride, padding } = geometry;
  const y = rt.conv2d(storageOf(x).info, storageOf(kernel).info, stride, padding);
  return new WasmTensor(rt, y, y.info.shape);
}

/** Output positions packed at a time: their panels fit the second-level cache. */
const CHUNK_POSITIONS = 512;

export function conv2dGradKernel(
  rt: WasmRuntime,
  dy: Tensor,
  x: Tensor,
  kernelShape: Shape,
  geometry: ConvGeometry,
): Tensor {
  const [dyImages, xImages] = [dy, x].map((t) => ({ pointer: pointerOf(t), shape: t.shape as Shape4 }));
  return new WasmTensor(rt, gradKernel(rt, dyImages!, xImages!, kernelShape as Shape4, geometry), kernelShape);
}

export interface Images {
  readonly pointer: number;
  /** `[N, H, W, C]` */
  readonly shape: Shape4;
}

export function gradKernel(
  rt: WasmRuntime,
  dy: Images,
  x: Images,
  kernelShape: Shape4,
  { stride, padding }: ConvGeometry,
): Storage {
  const [n, h, w, cIn] = x.shape;
  const [, ho, wo, cOut] = dy.shape;
  const [kH, kW] = kernelShape;
  const chunk = Math.min(n, Math.max(1, Math.round(CHUNK_POSITIONS / (ho * wo))));
  const out = rt.allocate(kernelShape);
  const { convGradKernel, convGradKernelScratch } = rt.kernels;
  const scratch = rt.scratch(convGradKernelScratch(h, w, cIn, ho, wo, cOut, kH, kW, padding, chunk) >>> 0);
  const sizes = [n, h, w, cIn, ho, wo, cOut, kH, kW, stride, padding, chunk] as const;
  convGradKernel(x.pointer, dy.pointer, out.pointer, scratch, ...sizes);
  return out;
}

/**
 * The backend's own gradient kernel runs at a tenth of its convolution's speed, so this is made of convolutions: one
 * for each phase (row and column of x modulo the stride), of dy with the taps that reach that phase.
 */
export function conv2dGradInput(
  rt: WasmRuntime,
  dy: Tensor,
  kernel: Variable,
  xShape: Shape,
  geometry: ConvGeometry,
): Tensor {
  const [n, h, w, cIn] = xShape as Shape4;
  const [, ho, wo] = dy.shape as Shape4;
  const [kH, kW] = kernel.shape as Shape4;
  const { stride } = geometry;
  if (stride === 1) {
    const rows = phaseOf(0, h, ho, kH, geometry);
    const columns = phaseOf(0, w, wo, kW, geometry);
    // With one phase and nothing to skip, the convolution's result is the gradient.
    if (rows.skip === 0 && columns.skip === 0 && rows.size === h && columns.size === w) {
      return new WasmTensor(rt, convolvePhase(rt, dy, kernel, stride, rows, columns), xShape);
    }
  }
  const dx = rt.allocate(xShape);
  rt.floats(dx.pointer, dx.size).fill(0);
  for (let fromY = 0; fromY < stride; fromY++) {
    const rows = phaseOf(fromY, h, ho, kH, geometry);
    for (let fromX = 0; fromX < stride; fromX++) {
      const columns = phaseOf(fromX, w, wo, kW, geometry);
      if ([rows.wanted, rows.taps, columns.wanted, columns.taps].includes(0)) continue;
      const part = convolvePhase(rt, dy, kernel, stride, rows, columns);
      const target = [h, w, cIn, stride, fromY, fromX, rows.skip, columns.skip] as const;
      rt.kernels.spreadPhase(part.pointer, dx.pointer, n, rows.size, columns.size, ...target);
      rt.free(part);
    }
  }
  return new WasmTensor(rt, dx, xShape);
}

/** Along one axis: the convolution of dy that gives dx at `from, from + stride, ...`. */
interface Phase {
  /** How many positions of dx that is. */
  readonly wanted: number;
  /** The kernel's taps `firstTap, firstTap + stride, ...` reach it. */
  readonly firstTap: number;
  readonly taps: number;
  /** Zeros before and after dy. */
  readonly before: number;
  readonly after: number;
  /** Length of the result, of which the first `skip` lie before the image. */
  readonly size: number;
  readonly skip: number;
}

/**
 * dx[stride a + from] = sum over j of kernel[firstTap + stride j] dy[a + shift - j], where from + padding =
 * stride shift + firstTap: with the taps reversed, a convolution of dy after `taps - 1 - shift` zeros.
 */
function phaseOf(from: number, size: number, outSize: number, k: number, { stride, padding }: ConvGeometry): Phase {
  const firstTap = (from + padding) % stride;
  const shift = Math.floor((from + padding) / stride);
  const taps = Math.max(0, Math.ceil((k - firstTap) / stride));
  const zeros = taps - 1 - shift;
  const before = Math.max(0, zeros);
  const wanted = Math.max(0, Math.ceil((size - from) / stride));
  const after = Math.max(0, wanted - zeros + taps - 1 - outSize);
  return { wanted, firstTap, taps, before, after, size: outSize + before + after - taps + 1, skip: before - zeros };
}

function convolvePhase(rt: WasmRuntime, dy: Tensor, kernel: Variable, stride: number, rows: Phase, columns: Phase) {
  const [, kW, cIn, cOut] = kernel.shape as Shape4;
  const taps = rt.allocate([rows.taps, columns.taps, cOut, cIn]);
  const { firstTap: y } = rows;
  const { firstTap: x } = columns;
  rt.kernels.reverseTaps(pointerOf(kernel), taps.pointer, kW, cIn, cOut, stride, y, x, rows.taps, columns.taps);
  const zeros = { top: rows.before, bottom: rows.after, left: columns.before, right: columns.after };
  const part = rt.conv2d(storageOf(dy).info, taps.info, 1, zeros);
  rt.free(taps);
  return part;
}
