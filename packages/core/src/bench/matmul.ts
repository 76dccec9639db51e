import type { Engine } from '../training/engine/index.js';

/** Rows and columns of the matrices: large enough that memory does not count, small enough to be done in seconds. */
const SIZE = 2048;
const BURSTS = 5;
const SECONDS_A_BURST = 0.5;

/**
 * What this machine's arithmetic gives at its best: the fastest of five bursts of multiplications of float32 matrices
 * of 2048 x 2048, by the engine's own linear layer, in 10^9 floating point operations a second.
 */
export function matmulGflops(engine: Engine): number {
  const values = Float32Array.from({ length: SIZE * SIZE }, (_, i) => (i % 7) / 7 - 0.5);
  const x = engine.tensor(values, [SIZE, SIZE]);
  const weight = engine.variable(values, [SIZE, SIZE]);
  const bias = engine.variable(new Float32Array(SIZE), [SIZE]);
  /** @returns seconds; a sum that the last product is needed for is waited for, as a device may queue the work. */
  const burst = (multiplications: number): number => {
    const start = performance.now();
    for (let i = 1; i <= multiplications; i++) {
      const product = engine.linear(x, weight, bias);
      if (i === multiplications) {
        const sums = engine.biasGrad(product);
        engine.read(sums);
        sums.dispose();
      }
      product.dispose();
    }
    return (performance.now() - start) / 1000;
  };
  burst(1); // The first call prepares what the next ones use.
  const multiplications = Math.max(1, Math.round(SECONDS_A_BURST / burst(1)));
  const fastest = Math.min(...Array.from({ length: BURSTS }, () => burst(multiplications)));
  for (const held of [x, weight, bias]) held.dispose();
  return (2 * SIZE ** 3 * multiplications) / fastest / 1e9;
}
