/** The operations in plain double precision, for tests: slow, and simple enough to be believed. */

export interface Image {
  readonly values: readonly number[];
  /** `[N, H, W, C]` */
  readonly shape: readonly [number, number, number, number];
}

export function conv2d(x: Image, kernel: Image, stride: number, padding: number): Image {
  const [n, h, w, cIn] = x.shape;
  const [kH, kW, , cOut] = kernel.shape;
  const outH = Math.floor((h + 2 * padding - kH) / stride) + 1;
  const outW = Math.floor((w + 2 * padding - kW) / stride) + 1;
  const values: number[] = [];
  for (let b = 0; b < n; b++) {
    for (let i = 0; i < outH; i++) {
      for (let j = 0; j < outW; j++) {
        for (let o = 0; o < cOut; o++) {
          let sum = 0;
          for (let di = 0; di < kH; di++) {
            for (let dj = 0; dj < kW; dj++) {
              const row = i * stride + di - padding;
              const column = j * stride + dj - padding;
              if (row < 0 || row >= h || column < 0 || column >= w) continue;
              for (let c = 0; c < cIn; c++) {
                const pixel = x.values[((b * h + row) * w + column) * cIn + c]!;
                sum += pixel * kernel.values[((di * kW + dj) * cIn + c) * cOut + o]!;
              }
            }
          }
          values.push(sum);
        }
      }
    }
  }
  return { values, shape: [n, outH, outW, cOut] };
}

/** Of the last axis, over all others. `variance` is the biased one. */
export function moments(values: readonly number[], channels: number): { mean: number[]; variance: number[] } {
  const count = values.length / channels;
  const mean = new Array<number>(channels).fill(0);
  const variance = new Array<number>(channels).fill(0);
  for (const [i, v] of values.entries()) mean[i % channels]! += v / count;
  for (const [i, v] of values.entries()) variance[i % channels]! += (v - mean[i % channels]!) ** 2 / count;
  return { mean, variance };
}

export function normalise(
  values: readonly number[],
  { mean, variance }: { mean: readonly number[]; variance: readonly number[] },
  scale: readonly number[],
  offset: readonly number[],
  epsilon: number,
): number[] {
  const c = scale.length;
  return values.map((v, i) => {
    const k = i % c;
    return ((v - mean[k]!) / Math.sqrt(variance[k]! + epsilon)) * scale[k]! + offset[k]!;
  });
}

export const relu = (values: readonly number[]): number[] => values.map((v) => Math.max(0, v));

/** Cross-entropy of each row of `[N, classes]`. */
export function crossEntropy(logits: readonly number[], labels: readonly number[], classes: number): number[] {
  return labels.map((label, n) => {
    const row = logits.slice(n * classes, (n + 1) * classes);
    const max = Math.max(...row);
    return Math.log(row.reduce((sum, v) => sum + Math.exp(v - max), 0)) + max - row[label]!;
  });
}

/** Central differences of a function of many numbers. */
export function numericGradient(f: (x: readonly number[]) => number, x: readonly number[], step = 1e-5): number[] {
  return x.map((v, i) => {
    const at = (value: number) => f(x.with(i, value));
    return (at(v + step) - at(v - step)) / (2 * step);
  });
}

export const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
};
