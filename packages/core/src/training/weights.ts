/**
 * A network's parameters in main memory, by PyTorch's names and in PyTorch's layouts, as a checkpoint holds them.
 * Not to be changed once made: alpha is shared by all individuals.
 */
export type Weights = ReadonlyMap<string, Float32Array>;

/** Conv kernels `[cOut, cIn, kH, kW]` (PyTorch) -> `[kH, kW, cIn, cOut]` (the engines). */
export function toKernelLayout(values: Float32Array, shape: readonly number[]): Float32Array {
  const [cOut, cIn, kH, kW] = shape as [number, number, number, number];
  const out = new Float32Array(values.length);
  const area = kH * kW;
  for (let o = 0, from = 0; o < cOut; o++) {
    for (let i = 0; i < cIn; i++) {
      for (let k = 0; k < area; k++) out[(k * cIn + i) * cOut + o] = values[from++]!;
    }
  }
  return out;
}

/** The inverse of `toKernelLayout`; `shape` is PyTorch's. */
export function fromKernelLayout(values: Float32Array, shape: readonly number[]): Float32Array {
  const [cOut, cIn, kH, kW] = shape as [number, number, number, number];
  const out = new Float32Array(values.length);
  const area = kH * kW;
  for (let o = 0, to = 0; o < cOut; o++) {
    for (let i = 0; i < cIn; i++) {
      for (let k = 0; k < area; k++) out[to++] = values[(k * cIn + i) * cOut + o]!;
    }
  }
  return out;
}

export function allFinite(weights: Weights): boolean {
  for (const values of weights.values()) if (!values.every(Number.isFinite)) return false;
  return true;
}
