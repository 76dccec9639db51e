import type { PoolGeometry, Shape, Tensor } from '../engine.js';
import type { WasmRuntime } from './runtime.js';
import { pointerOf, storageOf, WasmTensor } from './tensors.js';

export function globalAvgPool(rt: WasmRuntime, x: Tensor): Tensor {
  const [n, h, w, c] = x.shape as [number, number, number, number];
  const out = rt.allocate([n, c]);
  rt.kernels.globalAvgPool(pointerOf(x), out.pointer, n, h * w, c);
  return new WasmTensor(rt, out, [n, c]);
}

export function globalAvgPoolGrad(rt: WasmRuntime, dy: Tensor, xShape: Shape): Tensor {
  const [n, h, w, c] = xShape as [number, number, number, number];
  const out = rt.allocate(xShape);
  rt.kernels.globalAvgPoolGrad(pointerOf(dy), out.pointer, n, h * w, c);
  return new WasmTensor(rt, out, xShape);
}

export function maxPool(rt: WasmRuntime, x: Tensor, geometry: PoolGeometry): Tensor {
  const y = room(rt, pooledShape(x.shape, geometry));
  const [values, largest] = [valuesOf(rt, x), valuesOf(rt, y)];
  forEachWindow(x.shape, geometry, (pixels, at, channels) => {
    for (let c = 0; c < channels; c++) {
      let max = Number.NEGATIVE_INFINITY;
      for (const pixel of pixels) {
        const value = values[pixel + c]!;
        // NaN is passed on, as PyTorch does: a network that diverged must not look healthy.
        if (value > max || Number.isNaN(value)) max = value;
      }
      largest[at + c] = max;
    }
  });
  return y;
}

export function maxPoolGrad(rt: WasmRuntime, dy: Tensor, x: Tensor, y: Tensor, geometry: PoolGeometry): Tensor {
  const dx = room(rt, x.shape);
  const [values, largest, dLargest, dValues] = [x, y, dy, dx].map((tensor) => valuesOf(rt, tensor)) as FourArrays;
  dValues.fill(0);
  forEachWindow(x.shape, geometry, (pixels, at, channels) => {
    for (let c = 0; c < channels; c++) {
      const max = largest[at + c]!;
      for (const pixel of pixels) {
        if (values[pixel + c] !== max) continue;
        dValues[pixel + c]! += dLargest[at + c]!;
        break;
      }
    }
  });
  return dx;
}

export function avgPool(rt: WasmRuntime, x: Tensor, geometry: PoolGeometry): Tensor {
  const y = room(rt, pooledShape(x.shape, geometry));
  const [values, means] = [valuesOf(rt, x), valuesOf(rt, y)];
  const count = geometry.kernel ** 2;
  forEachWindow(x.shape, geometry, (pixels, at, channels) => {
    for (let c = 0; c < channels; c++) {
      let sum = 0;
      for (const pixel of pixels) sum += values[pixel + c]!;
      means[at + c] = sum / count;
    }
  });
  return y;
}

export function avgPoolGrad(rt: WasmRuntime, dy: Tensor, xShape: Shape, geometry: PoolGeometry): Tensor {
  const dx = room(rt, xShape);
  const [dMeans, dValues] = [valuesOf(rt, dy), valuesOf(rt, dx)];
  dValues.fill(0);
  const count = geometry.kernel ** 2;
  forEachWindow(xShape, geometry, (pixels, at, channels) => {
    for (const pixel of pixels) {
      for (let c = 0; c < channels; c++) dValues[pixel + c]! += dMeans[at + c]! / count;
    }
  });
  return dx;
}

type FourArrays = [Float32Array, Float32Array, Float32Array, Float32Array];

const room = (rt: WasmRuntime, shape: Shape): WasmTensor => new WasmTensor(rt, rt.allocate(shape), shape);

/** Good until the next allocation. */
function valuesOf(rt: WasmRuntime, tensor: Tensor): Float32Array {
  const { pointer, size } = storageOf(tensor);
  return rt.floats(pointer, size);
}

function pooledShape(xShape: Shape, { kernel, stride, padding }: PoolGeometry): Shape {
  const [n, h, w, c] = xShape as [number, number, number, number];
  const sizeOf = (size: number) => Math.floor((size + 2 * padding - kernel) / stride) + 1;
  return [n, sizeOf(h), sizeOf(w), c];
}

/**
 * Calls `visit` for each window, in the order of the pooled pixels.
 * @param visit `pixels`: where the window's pixels begin in the image's values, row by row, padding left out; the array
 * is filled anew each time. `at`: where the pooled pixel begins.
 */
function forEachWindow(
  xShape: Shape,
  geometry: PoolGeometry,
  visit: (pixels: readonly number[], at: number, channels: number) => void,
): void {
  const [n, h, w, channels] = xShape as [number, number, number, number];
  const [, ho, wo] = pooledShape(xShape, geometry) as [number, number, number, number];
  const { kernel, stride, padding } = geometry;
  const pixels: number[] = [];
  let at = 0;
  for (let image = 0; image < n; image++) {
    for (let row = 0; row < ho; row++) {
      const top = row * stride - padding;
      for (let column = 0; column < wo; column++) {
        const left = column * stride - padding;
        pixels.length = 0;
        for (let y = Math.max(0, top); y < Math.min(h, top + kernel); y++) {
          for (let x = Math.max(0, left); x < Math.min(w, left + kernel); x++) {
            pixels.push(((image * h + y) * w + x) * channels);
          }
        }
        visit(pixels, at, channels);
        at += channels;
      }
    }
  }
}
