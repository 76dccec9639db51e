/**
 * Linear between the two nearest values: type 7 of Hyndman and Fan (1996), what NumPy, R and the box plots here take.
 * @param values at least one.
 * @param p in [0, 1].
 */
export function quantile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * p;
  const low = sorted[Math.floor(at)]!;
  const high = sorted[Math.ceil(at)]!;
  return low + (high - low) * (at - Math.floor(at));
}

/** Minimum, lower quartile, median, upper quartile, maximum. @param values at least one. */
export function fiveNumbers(values: readonly number[]): [number, number, number, number, number] {
  const of = (p: number) => quantile(values, p);
  return [of(0), of(0.25), of(0.5), of(0.75), of(1)];
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Of a sample (n - 1). @param values at least two. */
export function standardDeviation(values: readonly number[]): number {
  const centre = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
}
